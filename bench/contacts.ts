import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Proof, proveByCertificate } from '../src/identity/proof.ts'
import type { PartnerType } from '../src/policy/partner.ts'
import type { Contacts } from '../src/routing/gate.ts'
import { Relay } from '../src/routing/relay.ts'
import { ContactStore } from '../src/store/contacts.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { Reader, type Slice } from '../src/xml/reader.ts'
import type { Destination } from '../src/xml/run.ts'
import { canonicalBare, parseDomain } from '../src/xmpp/address.ts'

// What the store of contacts costs: how long it takes to load, and what it adds to the relay of a stanza.
const rows = 1_000_000
const contactsOfEach = 100
const usersOfEach = 4
const stanzas = { few: 20_000, many: 400_000 }
/** Users write far more often than they add and remove contacts: at 50,000 stanzas a second, five of them do so each second. */
const changeEvery = 10_000
const rounds = 41
const chunkBytes = 65_536
const most = { loadMs: 3000, addedPercent: 5 }

const local = parseDomain('contoso.com')!
const remote = parseDomain('fabrikam.com')!
const proofs: readonly Proof[] = [proveByCertificate({ local, remote }, 'valid')]
const header = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"

/** Row `i` of the store: each friend is a contact of several users. */
const user = (i: number) => `user${i % (rows / contactsOfEach)}@contoso.com`
const friend = (i: number) => `friend${Math.floor(i / usersOfEach)}@fabrikam.com`

/** Fills a database as the store makes it, quicker than the store would. */
function fill(path: string, userOf: (row: number) => string): void {
  ContactStore.open(path).close()
  const database = new DatabaseSync(path)
  const put = database.prepare("INSERT INTO contact VALUES (?, ?, 1, 1, 0, 'learned', NULL, NULL)")
  database.exec('BEGIN')
  for (let i = 0; i < rows; i++) put.run(userOf(i), friend(i))
  database.exec('COMMIT')
  database.close()
}

/** Fills a database and opens it as the gateway does when it starts. */
function load(path: string, userOf: (row: number) => string, spread: string) {
  fill(path, userOf)
  const startMs = performance.now()
  const store = ContactStore.open(path)
  const loadMs = performance.now() - startMs
  if (store.size !== rows) throw new Error(`${store.size} contacts were loaded`)
  console.log(`${rows} contacts, ${spread}, loaded in ${loadMs.toFixed(0)} ms (at most ${most.loadMs})`)
  return { store, loadMs }
}

/** 5000 contacts from all over the store, each to three users in turn: they are all remembered. */
const fewRows = (i: number) => ((i * 7919) % 5000) * 49 * usersOfEach + (Math.floor(i / 5000) % 3)

/** Every twentieth message is from somewhere else in the store, over 40,000 addresses in all, more than are remembered. */
const manyRows = (i: number) => (i % 20 === 0 ? (i * 48_271) % rows : fewRows(i % 3000))

type Traffic = { readonly chunks: readonly Buffer[]; readonly stanzas: number }

/** Messages, one for each row, as one stream. */
function traffic(rowOf: (i: number) => number, stanzas: number): Traffic {
  const written: string[] = [header]
  for (let i = 0; i < stanzas; i++) {
    const row = rowOf(i)
    written.push(
      `<message from='${friend(row)}/desk' to='${user(row)}' type='chat' id='m${i}'>` +
        `<body>The quick brown fox jumps over the lazy dog, message ${i}</body><active xmlns='http://jabber.org/protocol/chatstates'/>` +
        `<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='m${i}'/></message>`,
    )
  }
  const bytes = Buffer.from(written.join(''))
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes))
  return { chunks, stanzas }
}

/** Of a user who is written to all the time, one contact more, and the one before that no more. */
function change({ learn, settle }: Pick<Contacts, 'learn' | 'settle'>): () => void {
  let count = 0
  const newcomer = (i: number) => canonicalBare(`newcomer${i}@fabrikam.com`)!
  return () => {
    const of = canonicalBare(user(fewRows(count)))!
    learn(of, newcomer(count++), 'subscribe')
    if (count > 1) learn(canonicalBare(user(fewRows(count - 2)))!, newcomer(count - 2), 'unsubscribed')
    settle()
  }
}

/** A relay for one partner of that type; `relayed` counts what got through. */
function relayFor(partnerType: PartnerType, contacts: Contacts) {
  const tally = { relayed: 0 }
  const destination: Destination = {
    send: run => {
      tally.relayed += run.stanzas
      return true
    },
    whenDrained: resume => resume(),
    isFull: false,
  }
  const ways = {
    isLocal: () => true,
    partnerType: () => partnerType,
    pong: () => false,
    inward: () => destination,
    outward: () => destination,
  }
  const quiet = { event() {}, debug() {}, info() {}, warn() {}, error() {} }
  return { tally, relay: new Relay(ways, contacts, { metrics: new Metrics(), log: quiet }) }
}

/** One way to relay the traffic, and the CPU time that its rounds took, and the changes between them. */
type Way = {
  readonly name: string
  readonly run: () => void
  /** For one stanza, of each round. */
  readonly seconds: number[]
  readonly changeSeconds: number[]
}

/** The CPU time that this takes. */
function secondsOf(act: () => void): number {
  const { user, system } = process.cpuUsage()
  act()
  const after = process.cpuUsage()
  return (after.user + after.system - user - system) / 1e6
}

/** @param change is called now and then, and what it takes is counted by itself: most of it is the disk's. */
function way(
  name: string,
  partnerType: PartnerType,
  contacts: Contacts,
  { chunks, stanzas }: Traffic,
  change = () => {},
): Way {
  const { relay, tally } = relayFor(partnerType, contacts)
  const [seconds, changeSeconds]: [number[], number[]] = [[], []]
  const run = () => {
    const before = tally.relayed
    const source = { pause() {}, resume() {}, declarations: new Map([['', 'jabber:server']]) }
    const sink = relay.fromPartner(source)
    const element = (slice: Slice) => sink.stanza(slice, proofs)
    const reader = new Reader('jabber:server', { header() {}, element, end() {} }, limits)
    let next = before + changeEvery
    let changing = 0
    const relaying = secondsOf(() => {
      for (const chunk of chunks) {
        reader.write(chunk)
        sink.flush()
        if (tally.relayed < next) continue
        next += changeEvery
        const took = secondsOf(change)
        changing += took
        changeSeconds.push(took)
      }
    })
    const relayed = tally.relayed - before
    if (relayed !== stanzas) throw new Error(`${name}: ${relayed} stanzas were relayed`)
    seconds.push((relaying - changing) / relayed)
  }
  return { name, run, seconds, changeSeconds }
}

/** The middle of what one way cost more than the other in the same round. */
function addedPercent(more: readonly number[], less: readonly number[]): number {
  return (middle(more.map((seconds, round) => seconds / less[round]!)) - 1) * 100
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

const limits = { elementBytes: 262_144, depth: 64 }
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
try {
  const lonely = load(join(folder, 'lonely.db'), i => `user${i}@contoso.com`, 'one of each user')
  lonely.store.close()
  const { store, loadMs } = load(join(folder, 'gatehouse.db'), user, `${contactsOfEach} of each user`)

  const all = { isCurrent: true, has: () => true }
  const { subscriptions } = store
  const everybody: Contacts = {
    of: () => all,
    has: () => true,
    words: () => 3,
    isByOperator: () => false,
    learn: () => 'nothing',
    settle: () => undefined,
    subscriptions,
  }
  const kept: Contacts = {
    of: one => store.of(one),
    has: (one, other) => store.has(one, other),
    words: (one, other) => store.words(one, other),
    isByOperator: (one, other) => store.isByOperator(one, other),
    subscriptions,
    learn: (one, other, news) => store.learn(one, other, news),
    settle: () => {
      const error = store.settle()
      if (error !== undefined) throw error
      return error
    },
  }
  // A disk that has to be waited for slows down what comes after: without a store as with one.
  const file = openSync(join(folder, 'file'), 'w')
  const write = () => {
    writeSync(file, Buffer.alloc(8192), 0, 8192, 0)
    fsyncSync(file)
  }
  const [few, many] = [traffic(fewRows, stanzas.few), traffic(manyRows, stanzas.many)]
  const ways = [
    way('federated: nothing is asked', 'federated', everybody, few),
    way('publicUnverified, without a store', 'publicUnverified', everybody, few),
    way('publicUnverified, with the store', 'publicUnverified', kept, few),
    way('many addresses, without a store', 'publicUnverified', everybody, many, write),
    way('many addresses, with a store that changes', 'publicUnverified', kept, many, change(kept)),
  ]
  // In turns, so that whatever else the machine does falls on all alike.
  for (let round = 0; round < rounds; round++) {
    for (const { run } of ways) run()
  }
  for (const { name, seconds } of ways) {
    console.log(`  ${name.padEnd(40)}${(middle(seconds) * 1e9).toFixed(0).padStart(6)} ns of CPU a stanza`)
  }
  const [federated, without, withStore, manyWithout, manyWithStore] = ways.map(({ seconds }) => seconds)
  const added = [addedPercent(withStore!, without!), addedPercent(manyWithStore!, manyWithout!)]
  for (const [at, of] of [
    'few addresses',
    `many addresses, and a change every ${changeEvery} stanzas`,
  ].entries()) {
    console.log(`${of}: the store adds ${added[at]!.toFixed(1)} % to a stanza (at most ${most.addedPercent})`)
  }
  const aChange = middle(ways.at(-1)!.changeSeconds)
  console.log(`a change itself takes ${(aChange * 1e6).toFixed(0)} µs of CPU, the disk's part included`)
  console.log(`partner type and store together add ${addedPercent(withStore!, federated!).toFixed(1)} %`)
  store.close()
  closeSync(file)
  if (Math.max(loadMs, lonely.loadMs) > most.loadMs || Math.max(...added) > most.addedPercent)
    process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
