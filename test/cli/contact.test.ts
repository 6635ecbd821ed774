import { chmodSync, chownSync, existsSync, readdirSync, statSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { contactRoutes } from '../../src/admin/contacts.ts'
import { openAdminSocket } from '../../src/admin/socket.ts'
import { ContactStore } from '../../src/store/contacts.ts'
import { memoryAudit } from '../support/audit.ts'
import { type CommandResult, runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder, leastConfig } from '../support/config-folder.ts'
import { bare } from '../support/contacts.ts'
import { silentLog } from '../support/log.ts'

const romeo = 'romeo@contoso.com'
const juliet = 'juliet@fabrikam.com'
const database = 'data/gatehouse.db'
const socket = 'data/gatehouse.sock'

function newFolder(configuration = leastConfig): ConfigFolder {
  return configFolder({
    'config/gatehouse.yaml': configuration,
    'config/partners.yaml': 'partners:\n  - { primaryDomain: fabrikam.com, partnerType: publicUnverified }\n',
  })
}

/** The contacts of a folder, as the daemon has them: with its socket, and the database to itself. */
async function asDaemon(folder: ConfigFolder): Promise<ContactStore> {
  const store = ContactStore.open(folder.at(database), () => Date.parse('2030-01-01T00:00:00.789Z'))
  onTestFinished(() => void (store.isOpen && store.close()))
  const routes = contactRoutes(store, () => folder.load(), memoryAudit())
  const { close } = await openAdminSocket(folder.at(socket), routes, silentLog)
  onTestFinished(close)
  return store
}

function contact(folder: ConfigFolder, ...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['contact', ...argv, '--config', folder.file])
}

const good = (out: string) => ({ status: 0, out, err: '' })
const failed = (status: number, text: string) => ({ status, out: '', err: `gatehouse: ${text}\n` })

describe.each(['by the daemon', 'on the file'] as const)('contact, %s,', way => {
  const prepare = async (folder = newFolder()) => {
    if (way === 'by the daemon') await asDaemon(folder)
    return folder
  }

  test('allows, lists and revokes', async () => {
    const folder = await prepare()
    expect(await contact(folder, 'list')).toEqual(good('no authorised contacts\n'))
    expect(await contact(folder, 'allow', 'Romeo@CONTOSO.com', juliet, '--reason', 'ticket 4711')).toEqual(
      good(`${juliet} is now an authorised contact of ${romeo}\n`),
    )
    expect(await contact(folder, 'allow', romeo, juliet)).toEqual(
      good(`${juliet} is already an authorised contact of ${romeo}\n`),
    )
    const { out } = await contact(folder, 'list')
    const [head, row, ...rest] = out.split('\n')
    expect(head).toBe("local user         partner's user       since                 by              reason")
    expect(row).toMatch(
      /^romeo@contoso\.com {2}juliet@fabrikam\.com {2}20\d\d-\S+T\S+:\d\dZ {2}local operator {2}ticket 4711$/,
    )
    expect(rest).toEqual([''])
    expect(await contact(folder, 'revoke', romeo, 'JULIET@fabrikam.com')).toEqual(
      good(`${juliet} is no longer an authorised contact of ${romeo}\n`),
    )
    expect(await contact(folder, 'revoke', romeo, juliet)).toEqual(
      failed(1, `${juliet} is not an authorised contact of ${romeo}`),
    )
    expect(await contact(folder, 'list')).toEqual(good('no authorised contacts\n'))
  })

  test('tells machines the same', async () => {
    const folder = await prepare()
    const change = { local: romeo, remote: juliet }
    const json = async (...argv: readonly string[]) =>
      JSON.parse((await contact(folder, ...argv, '--json')).out) as unknown
    expect(await json('list')).toEqual([])
    expect(await json('allow', romeo, juliet)).toEqual({ ...change, authorised: true, changed: true })
    expect(await json('allow', romeo, juliet)).toEqual({ ...change, authorised: true, changed: false })
    expect(await json('list')).toEqual([
      {
        ...change,
        since: expect.stringMatching(/^20\d\d-.*Z$/),
        words: [],
        operator: 'local operator',
        approved: false,
        reason: null,
      },
    ])
    expect(await json('revoke', romeo, juliet)).toEqual({ ...change, authorised: false, changed: true })
  })

  test('allows whom the user has added himself, besides', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    store.learn(bare(romeo), bare(juliet), 'subscribed')
    expect(store.close()).toBeUndefined()
    await prepare(folder)
    const allow = async () => JSON.parse((await contact(folder, 'allow', romeo, juliet, '--json')).out)
    expect([await allow(), await allow()]).toMatchObject([{ changed: true }, { changed: false }])
    const [listed] = JSON.parse((await contact(folder, 'list', '--json')).out)
    expect(listed).toMatchObject({ words: ['subscribed'], operator: 'local operator' })
  })

  test.each([
    [
      2,
      ['allow', `${romeo}/orchard`, juliet],
      /"romeo@contoso.com\/orchard" has a resource; .*: romeo@contoso\.com$/,
    ],
    [2, ['allow', romeo, `${juliet}/`], /"juliet@fabrikam.com\/" is not an XMPP address/],
    [2, ['allow', 'a b@contoso.com', juliet], /"a b@contoso.com" is not an XMPP address/],
    [2, ['revoke', romeo, '@fabrikam.com'], /is not an XMPP address/],
    [2, ['revoke', '', juliet], /"" is not an XMPP address/],
    [2, ['list', '--local', '%'], /"%" is not an XMPP address/],
    [2, ['list', '--remote', `${juliet}/x`], /has a resource/],
    [2, ['allow', romeo, 'fabrikam.com'], /fabrikam\.com is a domain; .*: NAME@fabrikam\.com/],
    [2, ['allow', romeo, juliet, '--reason', 'a\x1b[2Jb'], /body\.reason: may have no control characters/],
    [
      2,
      ['allow', romeo, juliet, '--reason', 'x'.repeat(501)],
      /body\.reason: may have 500 characters at most/,
    ],
    [2, ['allow', romeo, juliet, '--reason', ' '], /body\.reason: is empty/],
    [
      1,
      ['allow', juliet, romeo],
      /fabrikam\.com is not a local domain \(contoso\.com\); the local user is named first/,
    ],
    [
      1,
      ['allow', romeo, 'a@sub.fabrikam.com'],
      /sub\.fabrikam\.com is no partner's domain; add it to the partner list/,
    ],
    [1, ['allow', romeo, romeo], /contoso\.com is no partner's domain/],
  ])('refuses with %i: %j', async (status, argv, expected) => {
    const folder = await prepare()
    const result = await contact(folder, ...argv)
    expect(result).toMatchObject({ status, out: '' })
    expect(result.err.trimEnd()).toMatch(expected)
    expect((await contact(folder, 'list')).out).toBe('no authorised contacts\n')
  })

  test('revokes what is left of a partner that is none any more', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    store.learn(bare(romeo), bare('mercutio@gone.example'), 'subscribe')
    expect(store.close()).toBeUndefined()
    await prepare(folder)
    expect(await contact(folder, 'revoke', romeo, 'mercutio@gone.example')).toMatchObject({ status: 0 })
  })

  test('lists those of a user or of a domain, and by what they are authorised', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    store.learn(bare(romeo), bare(juliet), 'subscribe')
    store.learn(bare(romeo), bare(juliet), 'subscribed')
    store.learn(bare('paris@contoso.com'), bare(juliet), 'subscribed')
    store.learn(bare(romeo), bare('rosaline@northwind.example'), 'subscribe')
    store.subscriptions.keep(bare(romeo), bare(juliet))
    store.subscriptions.keep(bare('peter@contoso.com'), bare(juliet))
    store.settle()
    store.allow(bare(romeo), bare('nurse@fabrikam.com'), { operator: 'local operator' })
    store.learn(bare(romeo), bare('nurse@fabrikam.com'), 'subscribe')
    store.close()
    await prepare(folder)
    const rows = async (...argv: readonly string[]) =>
      (await contact(folder, 'list', ...argv)).out
        .split('\n')
        .slice(1, -1)
        .map(line => line.replace(/ {2,}\S+Z {2,}/, ' since '))
    const all = [
      'paris@contoso.com  juliet@fabrikam.com since subscribed',
      'peter@contoso.com  juliet@fabrikam.com since approved by the gateway',
      'romeo@contoso.com  juliet@fabrikam.com since subscribe, subscribed, approved by the gateway',
      'romeo@contoso.com  nurse@fabrikam.com since local operator, subscribe',
      'romeo@contoso.com  rosaline@northwind.example since subscribe',
    ]
    expect(await rows()).toEqual(all)
    expect(await rows('--local', 'Romeo@contoso.com')).toEqual(all.slice(2))
    expect(await rows('--remote', 'fabrikam.com')).toEqual(all.slice(0, 4))
    expect(await rows('--local', romeo, '--remote', juliet)).toEqual(all.slice(2, 3))
  })

  test('revokes what the gateway has approved', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    store.subscriptions.keep(bare(romeo), bare(juliet))
    store.close()
    await prepare(folder)
    expect(await contact(folder, 'allow', romeo, juliet)).toMatchObject({ status: 0, err: '' })
    expect(await contact(folder, 'revoke', romeo, juliet)).toMatchObject({ status: 0, err: '' })
    expect((await contact(folder, 'list')).out).toBe('no authorised contacts\n')
  })

  test('lists more than one page', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    for (let i = 0; i < 2_100; i++) store.learn(bare(romeo), bare(`friend${i}@fabrikam.com`), 'subscribe')
    store.close()
    await prepare(folder)
    const listed: { remote: string }[] = JSON.parse((await contact(folder, 'list', '--json')).out)
    expect(new Set(listed.map(({ remote }) => remote)).size).toBe(2_100)
    expect(listed).toHaveLength(2_100)
  })
})

describe('contact, where no gateway runs,', () => {
  test('makes no database to find nothing in it', async () => {
    const folder = newFolder()
    expect(await contact(folder, 'list')).toEqual(good('no authorised contacts\n'))
    expect(await contact(folder, 'revoke', romeo, juliet)).toMatchObject({ status: 1 })
    expect(existsSync(folder.at('data'))).toBe(false)
    await contact(folder, 'allow', romeo, juliet)
    expect(readdirSync(folder.at('data'))).toEqual(['audit.log', 'gatehouse.db'])
  })

  test.skipIf(process.getuid?.() !== 0)('makes the database for the owner of the folder', async () => {
    const folder = newFolder()
    chownSync(folder.at(''), 4711, 4712)
    await contact(folder, 'allow', romeo, juliet)
    for (const name of ['data', ...readdirSync(folder.at('data')).map(name => `data/${name}`)])
      expect([name, statSync(folder.at(name)).uid]).toEqual([name, 4711])
  })

  test('says that somebody else has the database', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    onTestFinished(() => void store.close())
    expect(await contact(folder, 'list')).toEqual(
      failed(
        1,
        `no gateway answers at ${folder.at(socket)}, and its database cannot be used: ` +
          `${folder.at(database)}: is in use by another process`,
      ),
    )
  })

  test('tells what is wrong with the configuration', async () => {
    const folder = newFolder(
      'domains: { contoso.com: { selfSigned: yes } }\ninternal: { connector: embedded }\n',
    )
    const { status, err } = await contact(folder, 'list')
    expect(status).toBe(1)
    expect(err).toMatch(/gatehouse\.yaml:1:27: domains\.contoso\.com\.selfSigned: expected true or false/)
  })
})

describe('contact, where a gateway runs,', () => {
  test('needs none of its secrets', async () => {
    const folder = newFolder()
    const store = ContactStore.open(folder.at(database))
    onTestFinished(() => void store.close())
    const config = folder.load()
    const routes = contactRoutes(store, () => config, memoryAudit())
    onTestFinished((await openAdminSocket(folder.at('s'), routes, silentLog)).close)
    const other = configFolder({
      'config/gatehouse.yaml': `${leastConfig}dialback: { secret: { env: NOT_HERE } }\nadmin: { socket: ${folder.at('s')} }\n`,
    })
    expect((await contact(other, 'allow', romeo, juliet)).status).toBe(0)
    expect(store.has(bare(romeo), bare(juliet))).toBe(true)
  })

  test('tells who may use the socket', async () => {
    const folder = newFolder()
    await asDaemon(folder)
    await contact(folder, 'list') // so that all of it is loaded
    const asOther = process.geteuid?.() === 0
    if (!asOther) chmodSync(folder.at(socket), 0)
    else {
      for (const name of ['', 'config', 'data']) chmodSync(folder.at(name), 0o755)
      for (const name of ['gatehouse.yaml', 'partners.yaml']) chmodSync(folder.at(`config/${name}`), 0o644)
      process.seteuid?.(65_534)
      onTestFinished(() => process.seteuid?.(0))
    }
    const result = await contact(folder, 'list')
    if (asOther) process.seteuid?.(0)
    expect(result).toEqual(
      failed(
        1,
        `${folder.at(socket)}: permission denied; run this as the user that the gateway runs as, or as root`,
      ),
    )
  })

  test('tells what the disk does not take', async () => {
    const folder = newFolder()
    const store = await asDaemon(folder)
    store.close()
    const { status, err } = await contact(folder, 'allow', romeo, juliet)
    expect(status).toBe(1)
    expect(err).toMatch(/^gatehouse: nothing was changed: .*gatehouse\.db: database is not open\n$/)
  })
})
