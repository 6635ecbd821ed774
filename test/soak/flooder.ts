import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { streamHeader, tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { daemonHost } from './daemon.ts'

export type FloodTarget = {
  readonly port: number
  readonly local: string
  readonly victims: readonly string[]
}

const longestMs = 500
const pauseMs = 5

/** A peer that never authenticates, and does what it can: so many loops of one connection after the other. */
export class Flooder {
  readonly #target: FloodTarget
  readonly #loops: Promise<void>[]
  #isOn = true
  connections = 0
  bytes = 0

  constructor(target: FloodTarget, loops: number) {
    this.#target = target
    this.#loops = Array.from({ length: loops }, (_, index) => this.#floods(index))
  }

  async stop(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#loops)
  }

  async #floods(index: number): Promise<void> {
    for (let round = index; this.#isOn; round++) {
      const socket = connect({
        port: this.#target.port,
        host: daemonHost,
        // Half of them from one address, the others each from its own: the first meet the limit of an address.
        localAddress: index % 2 === 0 ? '127.0.3.1' : `127.0.3.${index + 2}`,
      })
      this.connections++
      await this.#throws(socket, this.#missile(round), round % 3 === 0)
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }

  #missile(round: number): string | Buffer {
    const { local: to, victims } = this.#target
    const from = victims[round % victims.length]!
    const header = streamHeader({ content: ns.server, from, to, version: '1.0', dialback: true })
    switch (round % 5) {
      case 0:
        return randomBytes(20_000)
      case 1:
        return `${header}<x xmlns='y' z='${'z'.repeat(100_000)}'/>`
      case 2:
        return header + `<x xmlns='y'>`.repeat(1_000)
      case 3:
        return header + tag('message', { from: `a@${from}`, to: `b@${to}` }, tag('body', {}, 'x'))
      default: {
        const key = () => tag('db:result', { from, to }, randomBytes(16).toString('hex'))
        return header + Array.from({ length: 100 }, key).join('')
      }
    }
  }

  /** `isSlow` holds the connection when the gateway has ended the stream. */
  #throws(socket: Socket, missile: string | Buffer, isSlow: boolean): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => socket.resetAndDestroy(), longestMs)
      socket.on('error', () => {})
      socket.on('data', (bytes: Buffer) => {
        if (!isSlow && bytes.includes('</stream:stream>')) socket.resetAndDestroy()
      })
      socket.on('end', () => socket.resetAndDestroy())
      socket.once('close', () => {
        clearTimeout(timer)
        this.bytes += socket.bytesWritten
        resolve()
      })
      socket.write(missile)
    })
  }
}
