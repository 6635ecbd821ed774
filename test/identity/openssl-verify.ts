import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { toPem } from '../../src/identity/issue.ts'

/** A chain to be judged, each certificate in DER. */
export type PresentedChain = {
  readonly leaf: Buffer
  readonly others: readonly Buffer[]
  readonly anchors: readonly Buffer[]
  readonly at: Date
}

/**
 * Asks `openssl verify` about a chain, by flags that mean what the gateway means:
 * - `-purpose sslserver`: a server's certificate, whichever side presents it
 * - `-partial_chain`: an anchor need not be self-signed
 * - `-auth_level 2`: no SHA-1, no RSA below 2048 bits
 */
export async function opensslAccepts({ leaf, others, anchors, at }: PresentedChain): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-verify-'))
  try {
    const file = async (name: string, certificates: readonly Buffer[]) => {
      await writeFile(join(directory, name), certificates.map(der => toPem(der)).join(''))
      return join(directory, name)
    }
    const flags = ['-purpose', 'sslserver', '-partial_chain', '-auth_level', '2', '-no-CApath', '-no-CAstore']
    const untrusted = others.length > 0 ? ['-untrusted', await file('others', others)] : []
    const time = ['-attime', String(Math.floor(at.getTime() / 1000))]
    const anchored = ['-CAfile', await file('anchors', anchors)]
    await promisify(execFile)('openssl', [
      'verify',
      ...flags,
      ...time,
      ...anchored,
      ...untrusted,
      await file('leaf', [leaf]),
    ])
    return true
  } catch (error) {
    // Exit code 2 is its verdict; anything else (not installed, unknown flag) is not.
    if ((error as { code?: unknown }).code === 2) return false
    throw error
  } finally {
    await rm(directory, { recursive: true })
  }
}
