import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeptToken, Role } from '../config/tokens.ts'

// RFC 7914. A token is 256 random bits, which nobody guesses: the cost is for the day on which that is not so any more.
const costs = { cost: 16_384, blockSize: 8, parallelization: 1 } as const
const hashBytes = 32

/** A new token: what its owner is told once, and what is kept. */
export type NewToken = { readonly token: string; readonly kept: KeptToken }

/** Makes a token, `gh_ID_SECRET`. @param name default: the role and the id */
export async function newToken(name: string | undefined, role: Role, at: Date): Promise<NewToken> {
  const id = randomBytes(6).toString('hex')
  const token = `gh_${id}_${randomBytes(32).toString('hex')}`
  const salt = randomBytes(16).toString('hex')
  const kept = {
    name: name ?? `${role}-${id}`,
    id,
    role,
    created: at.toISOString(),
    scrypt: costs,
    salt,
    hash: '',
  }
  return { token, kept: { ...kept, hash: (await hashOf(token, kept)).toString('hex') } }
}

/** The id that a token bears, which says what to compare it with; undefined = it is none. */
export function idOf(token: string): string | undefined {
  return /^gh_([0-9a-f]{12})_[0-9a-f]{64}$/.exec(token)?.[1]
}

/** Is this the token that is kept? Takes as long for one that is not. */
export async function isToken(token: string, kept: KeptToken): Promise<boolean> {
  return timingSafeEqual(await hashOf(token, kept), Buffer.from(kept.hash, 'hex'))
}

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer>

function hashOf(token: string, { scrypt, salt }: Pick<KeptToken, 'scrypt' | 'salt'>): Promise<Buffer> {
  const { cost: N, blockSize: r, parallelization: p } = scrypt
  return derive(token, Buffer.from(salt, 'hex'), hashBytes, { N, r, p, maxmem: 256 * N * r * p })
}
