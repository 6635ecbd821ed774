import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'
import { startEjabberd } from '../support/ejabberd.ts'
import { startProsody } from '../support/prosody.ts'
import type { Peer, PeerKind, PeerOptions } from '../support/server-process.ts'

/** Starts a server of a kind. */
export const startPeer: Readonly<Record<PeerKind, (options: PeerOptions) => Promise<Peer>>> = {
  prosody: startProsody,
  ejabberd: startEjabberd,
}

/**
 * A `describe` that needs the real servers. Without them it says so and is skipped; with
 * GATEHOUSE_INTEROP=required it fails instead.
 */
export function describeInterop(name: string, body: () => void): void {
  const missing = missingServers()
  if (missing.length === 0) {
    describe(name, body)
    return
  }
  const reason = `interop tests not run: ${missing.join(', ')} not found; run test/interop/install-peers.sh`
  if (process.env['GATEHOUSE_INTEROP'] === 'required') throw new Error(reason)
  console.warn(reason)
  describe.skip(`${name} (${reason})`, body)
}

// What install-peers.sh installs and the fixtures start.
function missingServers(): string[] {
  const needed = {
    prosody: ['sh', '-c', 'command -v prosody'],
    'prosody-modules': ['sh', '-c', 'ls /usr/lib/prosody/modules/mod_privilege'],
    'lua-unbound': ['lua5.4', '-e', 'require "lunbound"'],
    ejabberd: ['sh', '-c', 'command -v erl && ls -d /usr/lib/*/ejabberd-*'],
  }
  return Object.entries(needed).flatMap(([name, [command = '', ...args]]) => {
    try {
      execFileSync(command, args, { stdio: 'ignore' })
      return []
    } catch {
      return [name]
    }
  })
}
