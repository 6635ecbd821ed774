import { isIP } from 'node:net'
import { z } from 'zod'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import { type Endpoint, parseEndpoint } from './endpoint.ts'

/** What a key of kind "secret" may hold. */
export type Secret = string | { readonly env: string } | { readonly file: string }

type Issue = { readonly input?: unknown; readonly code?: string }

/** Words the error of a key: what would be accepted, and what stands there instead. */
export function expects(what: string): { error: (issue: Issue) => string } {
  return {
    error: ({ input }) =>
      input === undefined ? `is required: ${what}` : `expected ${what}${instead(input)}`,
  }
}

/** A mapping that refuses unknown keys and names the known ones. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? `unknown key; accepted here: ${keys}`
        : `expected a mapping of ${keys}`,
  })
}

/** One of a closed list of words. */
export function oneOf<const Word extends string>(...words: readonly Word[]) {
  return z.enum(words, expects(`one of ${words.join(', ')}`))
}

/** A whole number within bounds, both included. */
export function whole(min: number, max: number) {
  const error = expects(`a whole number from ${min} to ${max}`)
  return z.int(error).min(min, error).max(max, error)
}

/** A list of so many items at most. */
export function listOf<Item extends z.ZodType>(item: Item, what: string, most: number) {
  return z
    .array(item, { error: `expected a list of ${what}` })
    .max(most, { error: `expected at most ${most} ${what}` })
}

/** Text of at least one character. */
export function text(what: string) {
  return z
    .string(expects(what))
    .min(1, expects(what))
    .max(4096, expects(`${what}, 4096 characters at most`))
}

/** A text for people, of several lines perhaps. */
export const remark = z
  .string(expects('a text, in quotes where it is a number'))
  .max(4096, expects('a text of 4096 characters at most'))
  .refine(value => !/[^\P{Cc}\t\n\r]/u.test(value), 'expected a text without control characters')

export const flag = z.boolean(expects('true or false'))

/** A TCP port to listen on; 0 = any that is free. */
export const listenPort = whole(0, 65_535)

export const remotePort = whole(1, 65_535)

export const path = text('a file name')

export const ipAddress = text('an IP address').refine(value => isIP(value) !== 0, expects('an IP address'))

const networkText = 'an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32'
/** IP addresses: one, or a network in CIDR notation; never all there are. */
export const network = read(networkText, value => {
  const [, address = '', digits] = /^([^/%]+)(?:\/([1-9][0-9]{0,2}))?$/.exec(value) ?? []
  const version = isIP(address)
  const bits = version === 6 ? 128 : 32
  const prefix = digits === undefined ? bits : Number(digits)
  if (version === 0 || prefix > bits) return undefined
  return { family: version === 6 ? ('ipv6' as const) : ('ipv4' as const), address, prefix }
})

const durationText = expects('a duration with its unit, from 1ms to 24h: 500ms, 30s, 5m, 1h')
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const longestMs = 24 * unitMs.h

/** A duration, in milliseconds once read. */
export const duration = z
  .string(durationText)
  .regex(/^[0-9]{1,9}(ms|s|m|h)$/, durationText)
  .transform((value, context): number => {
    const ms = Number.parseInt(value, 10) * unitMs[value.replace(/^\d+/, '') as keyof typeof unitMs]
    if (ms >= 1 && ms <= longestMs) return ms
    context.issues.push({ code: 'custom', input: value, message: durationText.error({ input: value }) })
    return z.NEVER
  })

const secretText = 'expected a text in quotes, { env: NAME } or { file: PATH }'
/** A secret, in place or elsewhere; its errors never show what stands there. */
export const secret: z.ZodType<Secret> = z.union(
  [
    z.string().min(1, `${secretText}, not an empty text`),
    z.strictObject({ env: z.string().min(1, expects('the name of an environment variable')) }),
    z.strictObject({ file: z.string().min(1, expects('a file name')) }),
  ],
  { error: secretText },
)

/** A domain, compared after IDNA. */
export const domainName = read<Domain>('a domain name such as fabrikam.com', parseDomain)

/** A host name or IP address, without a port; in lower case once read. */
export const hostName = read<string>('a host name or IP address, without a port', value =>
  isIP(value) !== 0 || /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(value) ? value.toLowerCase() : undefined,
)

/** Where to connect: a host or IP address, and a port. */
export const proxyAddress = read<Endpoint>('HOST:PORT or [IPv6]:PORT; without a port, 5269 is meant', value =>
  parseEndpoint(value, 5269),
)

/** A name server: an IP address, and a port. */
export const nameServer = read<string>(
  'an IP address, with a port where it is not 53: 127.0.0.1:5353, [::1]:5353',
  value => {
    const endpoint = parseEndpoint(value, 53)
    return endpoint !== undefined && isIP(endpoint.host) !== 0 ? value : undefined
  },
)

/** The SHA-256 of a certificate, 64 lower-case hex digits once read. */
export const fingerprint = read<string>(
  '"sha256:" and 32 pairs of hex digits, with or without colons',
  value => {
    const digits = /^sha256:([0-9A-Fa-f]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$/.exec(value)?.[1]
    return digits?.replaceAll(':', '').toLowerCase()
  },
)

function read<Value>(what: string, parse: (value: string) => Value | undefined) {
  return text(what).transform((value, context): Value => {
    const parsed = parse(value)
    if (parsed !== undefined) return parsed
    context.issues.push({ code: 'custom', input: value, message: expects(what).error({ input: value }) })
    return z.NEVER
  })
}

function instead(input: unknown): string {
  if (typeof input === 'string') return input.length > 80 ? '' : `, not ${JSON.stringify(input)}`
  if (typeof input === 'number' || typeof input === 'boolean') return `, not ${input}`
  return Array.isArray(input) ? ', not a list' : input === null ? ', not nothing' : ', not a mapping'
}
