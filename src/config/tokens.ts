import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { giveToOwnerOf, makeFolder } from '../files/own-files.ts'
import { editFile, FileEditError } from './edit-file.ts'
import { expects, oneOf, section, whole } from './fields.ts'
import { formatMode, openFault, readBytes, reason } from './files.ts'
import { ConfigError, type ConfigProblem, unreadable } from './problems.ts'
import { reporter, reportIssues } from './report.ts'
import { appendItems, cutItemsAt } from './yaml-edit.ts'
import { parseYaml } from './yaml-source.ts'
import type { Written } from './yaml-written.ts'

/** What a token is good for: to look, or to change as well. */
export const roles = ['viewer', 'administrator'] as const

export type Role = (typeof roles)[number]

/** A token as it is kept: who it is for, and what it can be recognised by. */
export type KeptToken = z.output<typeof tokenSchema>

/** The most tokens that a file may hold. */
export const mostTokens = 1000

const hex = (digits: number) => {
  const what = expects(`${digits} hex digits in lower case`)
  return z.string(what).regex(new RegExp(`^[0-9a-f]{${digits}}$`), what)
}
const nameText = 'a name of letters, digits, dots, hyphens and underscores, 64 characters at most'
const name = z.string(expects(nameText)).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, expects(nameText))
const costs = [14, 15, 16, 17].map(exponent => 2 ** exponent)

const tokenSchema = section({
  name,
  /** Stands in the token itself. */
  id: hex(12),
  role: oneOf(...roles),
  created: z.iso.datetime(expects('a time in ISO 8601, UTC')),
  /** RFC 7914; bounded, for the daemon computes with whatever stands here. */
  scrypt: section({
    cost: z.literal(costs, expects(`one of ${costs.join(', ')}`)),
    blockSize: whole(8, 16),
    parallelization: whole(1, 4),
  }),
  salt: hex(32),
  hash: hex(64),
})

const fileSchema = section({
  tokens: z
    .array(tokenSchema, { error: 'expected a list of tokens; [] for none' })
    .max(mostTokens, { error: `expected at most ${mostTokens} tokens` })
    .default([]),
})

/** Is this a name that a token may bear? */
export function isTokenName(text: string): boolean {
  return name.safeParse(text).success
}

/**
 * Reads the tokens; a file that is not there holds none.
 * @throws {ConfigError} with everything that is wrong in it, or because others may write to it: then no token is good
 */
export function readTokens(file: string): readonly KeptToken[] {
  const read = readFile(file)
  const fault = read && strangersFault(file, read.mode)
  if (fault !== undefined) throw new ConfigError([unreadable(file, fault)])
  return read === undefined ? [] : judge(file, read.text)
}

/** Everything that is wrong with what stands in the file, its mode apart. */
export function tokenProblems(file: string): readonly ConfigProblem[] {
  try {
    const read = readFile(file)
    if (read !== undefined) judge(file, read.text)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** What there is to say of the file's mode, if it is there; undefined = nothing. */
export function tokenModeWarning(file: string): string | undefined {
  const read = readBytes(file)
  const mode = 'fault' in read ? 0 : read.mode
  const fault = strangersFault(file, mode) ?? openFault(file)
  if (fault !== undefined || (mode & 0o020) === 0) return fault
  return `the group of ${file} may write to it (${formatMode(mode)}), and so make tokens; chmod 600 it`
}

/** Why the file's mode lets everybody make tokens for himself. */
function strangersFault(file: string, mode: number): string | undefined {
  if ((mode & 0o002) === 0) return undefined
  return `every user of this machine may write to ${file} (${formatMode(mode)}), so no token is accepted; chmod 600 it`
}

function readFile(file: string): { readonly text: string; readonly mode: number } | undefined {
  if (isMissing(file)) return undefined
  const read = readBytes(file)
  if ('fault' in read) throw new ConfigError([unreadable(file, read.fault)])
  return { text: read.bytes.toString('utf8'), mode: read.mode }
}

// What cannot be looked at is there, as far as anybody knows: to read it tells why.
function isMissing(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/**
 * Adds a token to the file, which is made where it is missing, mode 0600.
 * @returns false where one of that name is there
 * @throws {ConfigError | FileEditError}
 */
export async function keepToken(file: string, token: KeptToken): Promise<boolean> {
  makeFile(file)
  return await edit(file, (text, kept) => {
    if (kept.some(({ name }) => name === token.name)) return undefined
    if (kept.length >= mostTokens)
      throw new FileEditError(`${file} holds ${mostTokens} tokens, no more can be added`)
    return appendItems(text, 'tokens', [token satisfies Record<string, Written>])
  })
}

/**
 * Takes a token out of the file.
 * @returns false where there is none of that name
 * @throws {ConfigError | FileEditError}
 */
export async function dropToken(file: string, name: string): Promise<boolean> {
  if (!readTokens(file).some(token => token.name === name)) return false
  return await edit(file, (text, kept) => {
    const index = kept.findIndex(token => token.name === name)
    return index < 0 ? undefined : cutItemsAt(text, ['tokens'], [index])
  })
}

async function edit(
  file: string,
  change: (text: string, kept: readonly KeptToken[]) => string | undefined,
): Promise<boolean> {
  let isChanged = false
  await editFile(file, before => {
    const kept = judge(file, before)
    const after = change(before, kept)
    isChanged = after !== undefined
    // Anchors and rare ways of writing can make it hold something else than was meant.
    if (after !== undefined && Math.abs(judge(file, after).length - kept.length) !== 1)
      throw new FileEditError(
        `${file} cannot be changed by a command, because of the way it is written; edit it by hand`,
      )
    return after
  })
  return isChanged
}

function judge(file: string, text: string): readonly KeptToken[] {
  const source = parseYaml(file, text)
  const problems: ConfigProblem[] = [...source.problems]
  const report = reporter(source, problems)
  const checked = fileSchema.safeParse(source.value)
  reportIssues(report, checked.error)
  const tokens = checked.data?.tokens ?? []
  for (const key of ['name', 'id'] as const) {
    for (const [index, token] of tokens.entries()) {
      if (tokens.findIndex(other => other[key] === token[key]) < index)
        report('error', ['tokens', index, key], 'stands in the list twice')
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return tokens
}

const heading =
  '# API tokens of the gateway, as hashes; made and revoked by `gatehouse admin token`.\ntokens: []\n'

function makeFile(file: string): void {
  const folder = dirname(file)
  try {
    makeFolder(folder)
    const handle = openSync(file, 'wx', 0o600)
    try {
      writeSync(handle, heading)
      giveToOwnerOf(folder, handle)
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw new FileEditError(`cannot make ${file}: ${reason(error)}`, { cause: error })
  }
}
