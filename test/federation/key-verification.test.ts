import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Directory } from '../../src/federation/directory.ts'
import type { FederationEnvironment } from '../../src/federation/environment.ts'
import { KeyVerification } from '../../src/federation/key-verification.ts'
import type { OutboundSession } from '../../src/federation/outbound-session.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { DialError } from '../../src/transport/dialer.ts'
import { domain } from '../support/inbound-peer.ts'
import { memoryLog } from '../support/log.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Verification whose partners cannot be reached, but for streams that are up already. */
function verification(isUp = false) {
  const dialled: string[] = []
  const asked: string[] = []
  const log = memoryLog()
  const dial = { fails: async (_: AbortSignal): Promise<never> => fail('refused') }
  const environment = {
    log,
    metrics: new Metrics(),
    record: () => {},
    timeouts: () => ({ dialbackMs: 5_000 }),
    peerFor: () => ({ terms: { tls: 'required', methods: [] } }),
    dialer: {
      targets: (remote: string, _: unknown, signal: AbortSignal) => {
        dialled.push(remote)
        return dial.fails(signal)
      },
    },
  } as unknown as FederationEnvironment
  const session = {
    verify: ({ streamId }: { streamId: string }) => asked.push(streamId),
  } as unknown as OutboundSession
  const directory = {
    link: () => ({ session: isUp ? session : undefined }),
    countOpening: (opening: Promise<unknown>) => opening,
  } as unknown as Directory
  const keys = new KeyVerification(environment, directory)
  const pairOf = (remote: string) => ({ local: domain('contoso.com'), remote: domain(remote) })
  const verify = (remote = 'fabrikam.com', streamId = 's1') =>
    keys.verify({ ...pairOf(remote), streamId, key: 'k' })
  const answer = (streamId: string, on = session) =>
    directory.onKeyAnswer(on, pairOf('fabrikam.com'), streamId, { outcome: 'valid' })
  return { keys, dialled, asked, log, dial, verify, answer, directory, session }
}

function fail(reason: string): never {
  throw new DialError('connect-refused', reason)
}

describe('attempts to reach an authoritative server', () => {
  const failed = { outcome: 'error', condition: 'remote-connection-failed' }

  test('begin a second apart, whatever is asked; questions in between wait, and share the next', async () => {
    const { dialled, verify } = verification()
    expect(await verify()).toMatchObject(failed)
    const answers = [verify('fabrikam.com', 's2'), verify('fabrikam.com', 's3')]
    await vi.advanceTimersByTimeAsync(999)
    expect(dialled).toEqual(['fabrikam.com'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await Promise.all(answers)).toMatchObject([failed, failed])
    expect(dialled).toEqual(['fabrikam.com', 'fabrikam.com'])
  })

  test('wait for those of their own pair alone, and for none long ago', async () => {
    const { dialled, verify } = verification()
    await verify()
    await verify('adatum.com')
    await vi.advanceTimersByTimeAsync(1_000)
    await verify()
    expect(dialled).toEqual(['fabrikam.com', 'adatum.com', 'fabrikam.com'])
  })

  test('are not waited for when the gateway stops', async () => {
    const { keys, dialled, verify } = verification()
    await verify()
    const answered = verify()
    keys.stop()
    expect(await answered).toMatchObject({ condition: 'not-acceptable' })
    expect([dialled.length, vi.getTimerCount()]).toEqual([1, 0])
  })
})

describe('a question', () => {
  test('is answered on the stream it went out on, and leaves nothing behind', async () => {
    const { asked, verify, answer, log } = verification(true)
    const answered = verify()
    expect(asked).toEqual(['s1'])
    answer('s1', {} as OutboundSession)
    expect(log.lines).toHaveLength(1) // and was not believed
    answer('s1')
    expect(await answered).toEqual({ outcome: 'valid' })
    answer('s1')
    expect([log.lines.length, vi.getTimerCount()]).toEqual([2, 0])
  })

  test('fails in its time; an answer after that is ignored', async () => {
    const { verify, answer, log } = verification(true)
    const answered = verify()
    vi.advanceTimersByTime(5_000)
    expect(await answered).toMatchObject({ outcome: 'error', condition: 'remote-server-timeout' })
    answer('s1')
    expect(log.lines).toMatchObject([
      { fields: { reason: expect.stringContaining('nobody here had asked') } },
    ])
  })

  test('fails with the stream it went out on, and with no other', async () => {
    const { verify, directory, session } = verification(true)
    const answered = verify()
    directory.onStreamClosed({} as OutboundSession)
    directory.onStreamClosed(session)
    const reason = 'its authoritative server closed the stream without an answer'
    expect(await answered).toMatchObject({ condition: 'remote-server-timeout', reason })
  })

  test('fails at once when the gateway stops, and whatever was being opened for it is given up', async () => {
    const { keys, verify, dial } = verification()
    dial.fails = signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const answered = verify()
    keys.stop()
    expect(await answered).toMatchObject({ condition: 'not-acceptable' })
    expect(vi.getTimerCount()).toBe(0)
  })
})
