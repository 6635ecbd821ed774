import { expect, vi } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import type { Seen } from '../support/client.ts'
import { startGateway } from '../support/running-gateway.ts'
import type { Wire } from '../support/wire.ts'
import { conditionsOf, type WirePeer, type WireServer } from '../support/wire-peer.ts'

/** A local user and a partner's, for messages both ways. */
export const juliet = 'juliet@contoso.com/balcony'
export const romeo = 'romeo@fabrikam.com/orchard'

/** A message whose id is its number. */
export function message(number: number | string, from: string, to: string, body = `no. ${number}`): string {
  return tag('message', { id: String(number), type: 'chat', from, to }, tag('body', {}, body))
}

/** Messages with these numbers, one after the other. */
export function messages(from: string, to: string, first: number, count: number, body?: string): string {
  return Array.from({ length: count }, (_, index) => message(first + index, from, to, body)).join('')
}

/** What one end has received of numbered messages. */
export type Tally = {
  /** Numbers of the messages, in order. */
  readonly delivered: number[]
  /** Numbers of those that came back, in order. */
  readonly bounced: number[]
}

/** Counts the messages and errors that these streams have received until now. */
export function tally(...streams: readonly Wire[]): Tally {
  const numbers = (isError: boolean) =>
    streams.flatMap(stream =>
      stream.untaken
        .filter(({ name, attributes }) => name === 'message' && (attributes['type'] === 'error') === isError)
        .map(({ attributes }) => Number(attributes['id'])),
    )
  return { delivered: numbers(false), bounced: numbers(true) }
}

/** Waits until these streams have received so many messages and errors. */
export async function received(count: number, streams: () => readonly Wire[], ms = 8_000): Promise<void> {
  await vi.waitFor(
    () => {
      const { delivered, bounced } = tally(...streams())
      expect(delivered.length + bounced.length).toBeGreaterThanOrEqual(count)
    },
    { timeout: ms, interval: 10 },
  )
}

/** Each number from 0 on is among the delivered or among the bounced, once; the delivered kept their order. */
export function expectEachOnce(
  count: number,
  delivered: readonly number[],
  bounced: readonly number[],
): void {
  const ascending = (numbers: readonly number[]) => numbers.toSorted((one, other) => one - other)
  expect(ascending([...delivered, ...bounced])).toEqual(Array.from({ length: count }, (_, number) => number))
  expect(delivered).toEqual(ascending(delivered))
}

/** The error that a stanza came back with: its condition, and who is told what. */
export function bounceOf({ name, attributes, children }: Seen) {
  const [error] = children.filter(child => child.name === 'error')
  return {
    name,
    ...attributes,
    condition: error === undefined ? undefined : conditionsOf(error)[0],
    text: error?.children.find(child => child.name === 'text')?.text,
  }
}

/** One turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

const padding = 'x'.repeat(32_768)

/**
 * Sends long numbered messages until the far end takes no more.
 * @returns how many were sent; the last of them may still wait in our own socket
 */
export async function flood(wire: Wire, from: string, to: string, most = 2_000): Promise<number> {
  for (let number = 0; number < most; number++) {
    const bytes = Buffer.from(message(number, from, to, padding))
    if ((await wire.pour(bytes, bytes.length, 250)) === 0) return number + 1
  }
  throw new Error(`the far end took ${most} messages, and would take more`)
}

/** A gateway with one stream up in each of the four directions. */
export async function connectedGateway(settings: Record<string, Record<string, unknown>> = {}) {
  const gateway = await startGateway({ inside: 'component', settings })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message('hello', juliet, romeo))
  /** The partner's side of the stream that the gateway opened. */
  const receiver = await accepted(server)
  await receiver.next('message')
  /** The partner's side of the stream that it opened itself. */
  const sender = await gateway.connect()
  await sender.authenticates()
  return { gateway, server, inside, receiver, sender }
}

/** The next stream that the gateway opens to a partner, up to its authentication. */
export async function accepted(server: WireServer, deadlineMs?: number): Promise<WirePeer> {
  const peer = await server.next(deadlineMs)
  await peer.accepts()
  return peer
}

/** Ends a stream as RFC 6120 §4.4 wants it: reads until the far end has ended, too. */
export function closeProperly(wire: Wire): void {
  wire.send('</stream:stream>')
  void wire.streamEnd().then(
    () => wire.end(),
    () => undefined,
  )
}

/** Answers the far end's end of stream with an end of its own, whenever it comes. */
export function answerTheEnd(wire: Wire): void {
  void wire.streamEnd(20_000).then(
    () => wire.end('</stream:stream>'),
    () => undefined,
  )
}
