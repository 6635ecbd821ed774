import { execFile } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServerProcess } from '../support/server-process.ts'
import type { Image } from './image.ts'

const environment = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** How a command ended in a container, and what it said. */
export type Ended = { readonly status: number; readonly said: string }

/** An image's command, running as `docker run --read-only --cap-drop ALL --security-opt no-new-privileges` would have it. */
export class Container {
  readonly process: ServerProcess
  readonly #image: Image

  /** @param folder for what is written to its volumes; they begin with what the image has there */
  constructor(image: Image, folder: string) {
    this.#image = image
    const { root, volumes, workdir, entrypoint, command } = image
    const mounts = volumes.map(volume => {
      const kept = join(folder, volume.replaceAll('/', '-'))
      cpSync(join(root, volume), kept, { recursive: true })
      return `chown --reference='${root}${volume}' '${kept}' && mount --bind '${kept}' '${root}${volume}'`
    })
    const script = [
      'set -e',
      'ip link set lo up', // a network of its own: its ports are free, and nobody else is there
      `mount --bind '${root}' '${root}'`,
      ...mounts,
      `mount --bind /proc '${root}/proc'`,
      `mount -o remount,ro,bind '${root}'`,
      `exec chroot '${root}' env -i --chdir='${workdir}' ${environment} "$@"`,
    ]
    const argv = [
      '--mount',
      '--net',
      'sh',
      '-c',
      script.join('\n'),
      'sh',
      ...this.#asUser(),
      ...entrypoint,
      ...command,
    ]
    this.process = new ServerProcess('container', 'unshare', argv, { cwd: folder })
  }

  /** Runs a command beside the daemon, as the same user: what `docker exec` and the HEALTHCHECK do. */
  async exec(...command: readonly string[]): Promise<Ended> {
    const around = ['--target', String(this.process.pid), '--mount', '--net', '--root', '--wd']
    const argv = [...around, 'env', '-i', environment, ...this.#asUser(), ...command]
    try {
      const { stdout, stderr } = await promisify(execFile)('nsenter', argv)
      return { status: 0, said: stdout + stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { status: code, said: stdout + stderr }
    }
  }

  /** What the kernel knows of the daemon, as `Uid`, `CapEff`, `NoNewPrivs`. */
  status(name: string): string {
    const text = readFileSync(`/proc/${this.process.pid}/status`, 'utf8')
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? ''
  }

  #asUser(): readonly string[] {
    const [uid = '', gid = ''] = this.#image.user.split(':')
    const powers = ['--clear-groups', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all']
    return ['setpriv', '--reuid', uid, '--regid', gid, ...powers, '--']
  }
}
