import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Nobody connects from there: a port that was free stays so. */
export const daemonHost = '127.0.6.1'

/** What the daemon says of itself, by the lines of its metrics. */
export type Figures = (line: string) => number

/** The daemon as an operator runs it: a process of its own, its log in a file. */
export class Daemon {
  readonly #folder: string
  readonly #process: ChildProcess
  readonly #adminPort: number
  readonly #inspectPort: number
  readonly port: number

  /** Starts it with these files beside its configuration, and waits until it is ready. */
  static async start(configuration: object, files: Readonly<Record<string, string>>): Promise<Daemon> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'))
    const [port, adminPort, inspectPort] = await freePorts()
    const places = {
      listen: [{ address: daemonHost, port }],
      admin: { address: daemonHost, port: adminPort, socket: 'gatehouse.sock' },
      store: { sqlite: 'gatehouse.db' },
    }
    const all = { ...files, 'gatehouse.yaml': JSON.stringify({ ...configuration, ...places }) }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text, { mode: 0o600 })
    const log = openSync(join(folder, 'log'), 'w')
    const main = new URL('../../src/main.ts', import.meta.url).pathname
    const config = join(folder, 'gatehouse.yaml')
    const inspect = `--inspect=${daemonHost}:${inspectPort}`
    const child = spawn(process.execPath, [inspect, main, 'run', '--config', config], {
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const daemon = new Daemon(folder, child, { port, adminPort, inspectPort })
    await daemon.#isReady()
    return daemon
  }

  private constructor(
    folder: string,
    child: ChildProcess,
    ports: { port: number; adminPort: number; inspectPort: number },
  ) {
    this.#folder = folder
    this.#process = child
    this.#adminPort = ports.adminPort
    this.#inspectPort = ports.inspectPort
    this.port = ports.port
  }

  get logFile(): string {
    return join(this.#folder, 'log')
  }

  /** Lines of the log so far. */
  get log(): string[] {
    return readFileSync(this.logFile, 'utf8').split('\n')
  }

  /** The metrics as of now. */
  async figures(): Promise<Figures> {
    const response = await fetch(`http://${daemonHost}:${this.#adminPort}/metrics`)
    const lines = (await response.text()).split('\n')
    return line =>
      Number(
        lines
          .find(text => text.startsWith(`${line} `))
          ?.split(' ')
          .at(-1) ?? Number.NaN,
      )
  }

  /** Has it collect its garbage: what is left then is held. */
  async collectGarbage(): Promise<void> {
    const response = await fetch(`http://${daemonHost}:${this.#inspectPort}/json/list`)
    const [{ webSocketDebuggerUrl }] = (await response.json()) as [{ webSocketDebuggerUrl: string }]
    const inspector = new WebSocket(webSocketDebuggerUrl)
    await once(inspector, 'open')
    inspector.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }))
    await once(inspector, 'message')
    inspector.close()
    await once(inspector, 'close')
  }

  /** Ends it by SIGTERM. @returns its exit code */
  async stop(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode
    const exited = once(this.#process, 'exit')
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
    this.#process.kill('SIGTERM')
    await exited
    clearTimeout(deadline)
    return this.#process.exitCode
  }

  /** Takes its files away. */
  clean(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #isReady(): Promise<void> {
    const untilMs = performance.now() + 20_000
    for (;;) {
      const isReady = await fetch(`http://${daemonHost}:${this.#adminPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isReady) return
      if (this.#process.exitCode !== null || performance.now() > untilMs) {
        this.#process.kill('SIGKILL')
        throw new Error(`the daemon is not ready:\n${this.log.slice(-20).join('\n')}`)
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, daemonHost)
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return [ports[0]!, ports[1]!, ports[2]!]
}
