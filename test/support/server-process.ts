import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** What a peer server is asked to be. The server's own word for each thing is in prosody.ts and ejabberd.ts. */
export type PeerOptions = {
  readonly domain: string
  /** More domains that it hosts, with the same users. */
  readonly moreDomains?: readonly string[]
  /** Name → password. */
  readonly users: Readonly<Record<string, string>>
  /** The server inside: what connects to it as external components. */
  readonly components?: Components
  /** A server that federates. Without it the server opens and accepts no stream with another one. */
  readonly federation?: FederationProfile
}

/** Domains that connect to a server as external components (XEP-0114), and their secret. */
export type Components = {
  readonly domains: readonly string[]
  readonly secret: string
  /** Those of the domains that may get rosters and are told users' presence (XEP-0356). */
  readonly privileged?: readonly string[]
}

/** How a peer server federates, with everybody. */
export type FederationProfile = {
  /** The port of the DNS server on 127.0.0.1 that it asks. */
  readonly dnsPort: number
  readonly certificatePem: string
  readonly keyPem: string
  /** The one CA it trusts. */
  readonly authorityPem: string
  readonly tls: 'off' | 'optional' | 'required'
  /** Without dialback EXTERNAL is the only method left. */
  readonly dialback: boolean
}

/** A real server under a temporary directory. Who starts it stops it. */
export type Peer = {
  readonly kind: PeerKind
  readonly domain: string
  readonly c2sPort: number
  readonly componentPort: number
  readonly s2sPort: number
  readonly process: ServerProcess
  stop(): Promise<void>
}

export const peerKinds = ['prosody', 'ejabberd'] as const
export type PeerKind = (typeof peerKinds)[number]

/** A child process with its output line by line, on standard output and standard error alike. */
export class ServerProcess {
  readonly name: string
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #exited: Promise<number | null>
  readonly #waiting = new Set<() => void>()
  #hasExited = false

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  ) {
    this.name = name
    this.#child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output === null) continue
      createInterface({ input: output }).on('line', line => {
        this.lines.push(line)
        this.#wake()
      })
    }
    // Not to be left behind by a test run that breaks off.
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#exited = new Promise(resolve => {
      // `close` comes after the last line of output, `error` where the command does not exist.
      this.#child.once('error', error => this.lines.push(String(error)))
      this.#child.once('close', code => {
        this.#hasExited = true
        process.removeListener('exit', kill)
        this.#wake()
        resolve(code)
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * The first of all lines, also those already printed, for which `read` gives a value.
   * @throws {Error} with the end of the output, at the deadline or when the process has ended
   */
  async first<T>(what: string, read: (line: string) => T | undefined, deadlineMs: number): Promise<T> {
    const deadline = AbortSignal.timeout(deadlineMs)
    for (let next = 0; ; ) {
      for (; next < this.lines.length; next += 1) {
        const value = read(this.lines[next] ?? '')
        if (value !== undefined) return value
      }
      if (this.#hasExited) throw new Error(`${this.name} ended without ${what}\n${this.tail()}`)
      if (deadline.aborted) {
        throw new Error(`${this.name}: no ${what} within ${deadlineMs} ms\n${this.tail()}`)
      }
      await new Promise<void>(resolve => {
        const wake = () => {
          this.#waiting.delete(wake)
          deadline.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.add(wake)
        deadline.addEventListener('abort', wake)
      })
    }
  }

  /** The end of the output, for a failing test. */
  tail(count = 60): string {
    return this.lines
      .slice(-count)
      .map(line => `  ${this.name} | ${line}`)
      .join('\n')
  }

  /** Asks the process to end, and kills it after `graceMs`. Gives its exit code, null when it was killed. */
  async stop(graceMs: number): Promise<number | null> {
    this.#child.kill('SIGTERM')
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    const code = await this.#exited
    clearTimeout(killer)
    return code
  }

  /** Tells the process something. */
  signal(name: 'SIGHUP'): void {
    this.#child.kill(name)
  }

  /** Kills the process: it has no time for anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}

// Below those that the kernel hands out, or somebody would be given one between its being found free and its being used.
const ports = { least: 10_000, most: 31_999 }
let nextPort = randomInt(ports.least, ports.most)

/** Ports on 127.0.0.1 that were free a moment ago, all different, and not given to anybody else of this process. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = nextPort
    nextPort = port === ports.most ? ports.least : port + 1
    if (await isFree(port)) found.push(port)
  }
  return found
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  await once(server.close(), 'close')
  return true
}
