import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('../src/', import.meta.url).pathname

const parts = {
  files: [],
  xml: [],
  xmpp: ['xml'],
  identity: ['xmpp'],
  negotiation: ['identity', 'xmpp', 'xml'],
  policy: ['negotiation', 'identity', 'xmpp', 'xml'],
  config: ['policy', 'xmpp', 'files'],
  store: ['policy', 'xmpp', 'files'],
  telemetry: ['xmpp'],
  transport: ['telemetry', 'identity', 'xmpp', 'xml', 'files'],
  federation: ['transport', 'telemetry', 'negotiation', 'identity', 'xmpp', 'xml'],
  internal: ['federation', 'transport', 'telemetry', 'negotiation', 'identity', 'xmpp', 'xml'],
  routing: ['telemetry', 'policy', 'identity', 'xmpp', 'xml'],
  admin: ['store', 'config', 'telemetry', 'policy', 'xmpp', 'files'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** Each part, and the other parts that it may import. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  ...parts,
  gatehouse: Object.keys(parts),
  cli: [...Object.keys(parts), 'gatehouse'],
  main: ['cli'],
}

/** Files of the root that belong to the composition root. */
const composition = [
  'api-description.ts',
  'api-routes.ts',
  'certificate-facts.ts',
  'contacts.ts',
  'derived.ts',
  'environment.ts',
  'expiry.ts',
  'gatehouse.ts',
  'gauges.ts',
  'inside.ts',
  'journal-rings.ts',
  'journal.ts',
  'partner-gauges.ts',
  'probe.ts',
  'sessions.ts',
  'shutdown.ts',
]

const pure =
  /^(xml|xmpp|identity|negotiation|policy)\/|^routing\/bounce\.ts$|^transport\/(service-records|dns-answer|proxy-protocol)\.ts$|^cli\/dns-(words|records|services|addresses|partner)\.ts$|^admin\/health\.ts$/

/** What a pure part must not name. */
const effects: Readonly<Record<string, RegExp>> = {
  'an effectful module': /from 'node:(?!crypto'|url')[^']*'/,
  'a timer': /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
  'the clock': /\bDate\.now\b|\bnew Date\(\)|\bperformance\b/,
  randomness: /\bMath\.random\b|\bcrypto\.\w/,
  'the console': /\bconsole\b/,
  'the process': /\bprocess\./,
  'the network': /\bfetch\(/,
}

/** What a pure part may take from node:crypto: what always gives the same answer. */
/** To sign is what identity/issue.ts is for; the nonce within an ECDSA signature is the one thing in it that is drawn. */
const signing = ['sign', 'createPublicKey']
const pureCrypto = ['createHash', 'createHmac', 'timingSafeEqual', 'X509Certificate', 'KeyObject']

/** Packages, and the files that may import them. */
const packages: Readonly<Record<string, RegExp>> = {
  '@xmpp/xml': /^xml\/element\.ts$/,
  ltx: /^xml\/element\.ts$/,
  'node-forge': /^identity\/der\.ts$/,
  dns2: /^transport\/(resolver|dns-exchange)\.ts$/,
  pino: /^telemetry\/log\.ts$/,
  yaml: /^config\//,
  zod: /^(config|admin)\//,
  commander: /^cli\/(([a-z]+-)?arguments|command-tree)\.ts$/,
}

type Source = { readonly path: string; readonly text: string; readonly imports: readonly string[] }

const sources: readonly Source[] = globSync('**/*.{ts,js,mjs}', { cwd: root })
  .toSorted()
  .map(path => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text: withoutComments(text), imports: importsOf(text) }
  })

describe('the source', () => {
  test('is found, whole', () => {
    const found = new Set(sources.map(({ path }) => partOf(path)))
    expect([...found].filter(part => !(part in mayImport))).toEqual([])
    expect(found).toContain('xml')
    expect(sources.flatMap(({ imports }) => imports)).toContain('./cli/arguments.ts')
  })

  test('imports down the table of parts only', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports.filter(isRelative).flatMap(specifier => {
        const target = join(path, '..', specifier)
        if (target === '../package.json') return []
        const [from, to] = [partOf(path), partOf(target)]
        return from === to || mayImport[from]?.includes(to) ? [] : [`${path} imports ${target}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  test('names the files that it imports in full', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(specifier => isRelative(specifier) && !/\.(ts|json)$/.test(specifier))
        .map(specifier => `${path} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  test.each(Object.entries(effects))('names nothing of %s in a pure part', (_, effect) => {
    const wrong = sources.flatMap(({ path, text }) => {
      const found = pure.test(path) ? effect.exec(text) : null
      return found === null ? [] : [`${path}: ${found[0]}`]
    })
    expect(wrong).toEqual([])
  })

  test('takes from node:crypto, in a pure part, what always answers the same', () => {
    const wrong = sources
      .filter(({ path }) => pure.test(path))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/import (type )?\{([^}]*)\} from 'node:crypto'/g)]
          .filter(([, isType]) => isType === undefined)
          .flatMap(([, , names = '']) => names.split(',').map(name => name.trim()))
          .filter(name => name !== '' && !name.startsWith('type ') && !pureCrypto.includes(name))
          .filter(name => !(path === 'identity/issue.ts' && signing.includes(name)))
          .map(name => `${path}: ${name}`),
      )
    expect(wrong).toEqual([])
  })

  test('imports each package in its own place, and none that has no place', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(specifier => !isRelative(specifier) && !specifier.startsWith('node:'))
        .filter(name => packages[name]?.test(path) !== true)
        .map(name => `${path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  test('reads process.* in main.ts and config/ only', () => {
    const wrong = sources.filter(
      ({ path, text }) => !/^(main\.ts$|config\/)/.test(path) && /\bprocess\.|'node:process'/.test(text),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('has no file of more than 300 lines', () => {
    const long = sources.flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n').length
      return lines > 300 ? [`${path}: ${lines}`] : []
    })
    expect(long).toEqual([])
  })
})

function partOf(path: string): string {
  if (composition.includes(path)) return 'gatehouse'
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '')
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function importsOf(text: string): string[] {
  const found = text.matchAll(
    /^(?:import|export)\b[^'";]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...found].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '')
}

/** Comments may speak of effects; lines stay where they are. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ''))
    .replace(/(^|\s)\/\/.*/g, '$1')
}
