import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'

/** What the tests here need of the machine: a name, and a command of the shell that succeeds where it is there. */
export const tools = {
  root: '[ "$(id -u)" = 0 ]',
  namespaces: 'unshare --mount --net true',
  'Debian packages': 'command -v dpkg-query apt-cache nsenter setpriv ip',
  prosodyctl: 'command -v prosodyctl',
  'systemd-analyze': 'command -v systemd-analyze',
  'systemd-nspawn': 'command -v systemd-nspawn',
  overlays: `unshare --mount sh -ec 'd=$(mktemp -d); trap "umount $d; rmdir $d" EXIT; mount -t tmpfs tmpfs $d; mkdir $d/upper $d/work $d/root; mount -t overlay -o lowerdir=/,upperdir=$d/upper,workdir=$d/work overlay $d/root; umount $d/root'`,
  promtool: 'command -v promtool',
  'named-checkzone': 'command -v named-checkzone',
} as const

/**
 * A `describe` that needs tools of the machine. Without them it says so and is skipped; with
 * GATEHOUSE_DEPLOYMENT=required it fails instead.
 */
export function describeWith(needed: readonly (keyof typeof tools)[], name: string, body: () => void): void {
  const missing = needed.filter(tool => !succeeds(tools[tool]))
  if (missing.length === 0) {
    describe(name, body)
    return
  }
  const reason = `not run for want of ${missing.join(', ')}; run test/deployment/install-tools.sh as root`
  if (process.env['GATEHOUSE_DEPLOYMENT'] === 'required') throw new Error(`${name}: ${reason}`)
  console.warn(`${name}: ${reason}`)
  describe.skip(`${name} (${reason})`, body)
}

function succeeds(command: string): boolean {
  try {
    execFileSync('sh', ['-c', command], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
