import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ServerProcess } from '../support/server-process.ts'
import type { Ended } from './container.ts'

/**
 * A Debian machine of its own with the real systemd as process 1: the files of this one, and what is written to them thrown away at
 * the end; a network of its own, with nothing in it. Who boots it stops it.
 */
export class Machine {
  /** Its root directory, seen from here; what is put there before it boots is on it. */
  readonly root: string
  readonly #folder: string
  readonly #groups: readonly string[]
  #process: ServerProcess | undefined
  #init = ''

  /** As root, where file systems may be mounted. */
  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'gatehouse-machine-'))
    const name = this.#folder.split('/').at(-1) ?? ''
    this.#groups = hierarchies().map(hierarchy => join(hierarchy, name))
    this.root = join(this.#folder, 'root')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', this.#folder])
    for (const part of ['root', 'upper', 'work']) mkdirSync(join(this.#folder, part))
    const layers = `lowerdir=/,upperdir=${this.#folder}/upper,workdir=${this.#folder}/work`
    execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', this.root])
  }

  /** Boots it, as far as a machine needs to be to start services. @throws {Error} with what it said, where it does not */
  async boot(): Promise<void> {
    // In control groups of its own: another machine beside it would use the same.
    for (const group of this.#groups) mkdirSync(group)
    const joins = this.#groups.map(group => `echo $$ > ${group}/cgroup.procs`)
    const boots = `exec systemd-nspawn --quiet --directory='${this.root}' --register=no --keep-unit --private-network --boot -- --unit=basic.target`
    this.#process = new ServerProcess('machine', 'sh', ['-c', [...joins, boots].join('\n')], {
      cwd: this.#folder,
    })
    for (let triesLeft = 150; triesLeft > 0; triesLeft -= 1) {
      await wait(200)
      this.#init ||= this.#findInit()
      if (this.#init === '') continue
      const { said } = await this.run('systemctl is-active basic.target')
      if (said.startsWith('active')) return
    }
    throw new Error(`the machine does not come up\n${this.#process.tail()}`)
  }

  /** Runs a command of the shell on it, as root. */
  async run(command: string): Promise<Ended> {
    const argv = ['--target', this.#init, '--all', '--root', '--wd', 'sh', '-c', command]
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' }
    try {
      const { stdout, stderr } = await promisify(execFile)('nsenter', argv, { env, timeout: 60_000 })
      return { status: 0, said: stdout + stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { status: code, said: stdout + stderr }
    }
  }

  /** Switches it off, and leaves nothing of it. */
  async stop(): Promise<void> {
    // With process 1 end all others of the machine; its keeper sees that, and ends too.
    if (this.#init !== '') process.kill(Number(this.#init), 'SIGKILL')
    await this.#process?.stop(5000)
    for (const mounted of [this.root, this.#folder]) spawnSync('umount', [mounted])
    rmSync(this.#folder, { recursive: true, force: true })
    for (const group of this.#groups) removeGroup(group)
  }

  /** Process 1 of the machine, by its number here. */
  #findInit(): string {
    const ps = spawnSync('ps', ['--ppid', String(this.#process?.pid), '-o', 'pid='], { encoding: 'utf8' })
    const children = ps.stdout.split('\n').map(pid => pid.trim())
    return children.find(pid => pid !== '' && isInit(pid)) ?? ''
  }
}

function isInit(pid: string): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Where control groups are made here: in one place, or for systemd and for all in two. */
function hierarchies(): string[] {
  if (existsSync('/sys/fs/cgroup/cgroup.procs')) return ['/sys/fs/cgroup']
  return ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter(path => existsSync(path))
}

/** With the groups in it, whose processes have ended. */
function removeGroup(group: string): void {
  if (!existsSync(group)) return
  const found = execFileSync('find', [group, '-depth', '-type', 'd'], { encoding: 'utf8' }).split('\n')
  for (const path of found) if (path !== '') rmdirSync(path)
}
