import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Admission, type Admitted, Listener, networkOf, type Place } from '../../src/transport/listener.ts'
import { keep } from './dialer-fixture.ts'

const tooMany = 'too many unauthenticated streams come from this address'

function admitted(admission: Admission, address = '192.0.2.1'): Place {
  const outcome = admission.admit(address)
  return 'dropped' in outcome ? expect.fail('dropped') : outcome
}

describe('admission', () => {
  test('greets over a limit to refuse, and drops over twice the limit', () => {
    const admission = new Admission(() => ({ connections: 100, unauthenticatedPerAddress: 1 }))
    expect(admitted(admission).refusal).toBeUndefined()
    expect(admitted(admission).refusal?.reason).toBe(tooMany)
    expect(admission.admit('192.0.2.1')).toMatchObject({ dropped: { code: 'limit-unauthenticated' } })
    expect(admitted(admission, '192.0.2.2').refusal).toBeUndefined()
    expect(admission.total).toBe(3)
  })

  test.each(['authenticated', 'closed'] as const)('gives the place of who is %s to the next', step => {
    const admission = new Admission(() => ({ connections: 100, unauthenticatedPerAddress: 1 }))
    admitted(admission)[step]()
    expect(admitted(admission).refusal).toBeUndefined()
    expect(admission.total).toBe(step === 'closed' ? 1 : 2)
  })

  test('goes by the limits in force when somebody comes', () => {
    let limits = { connections: 100, unauthenticatedPerAddress: 1 }
    const admission = new Admission(() => limits)
    admitted(admission)
    expect(admitted(admission).refusal?.reason).toBe(tooMany)
    limits = { connections: 100, unauthenticatedPerAddress: 3 }
    expect(admitted(admission).refusal).toBeUndefined()
    limits = { connections: 1, unauthenticatedPerAddress: 3 }
    expect(admission.admit('192.0.2.2')).toMatchObject({ dropped: { code: 'limit-connections' } })
  })

  test('counts every connection once, however often its end is told', () => {
    const admission = new Admission(() => ({ connections: 1, unauthenticatedPerAddress: 10 }))
    const done = admission.countOutbound()
    const one = admitted(admission)
    expect(one.refusal?.reason).toBe('the gateway has reached its limit of connections')
    done()
    done()
    one.authenticated()
    one.closed()
    one.closed()
    expect(admission.total).toBe(0)
    expect(admitted(admission).refusal).toBeUndefined()
  })
})

describe('what counts as one address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8::3:4:5:6', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['2001::2:0:0:0:6', '2001:0:0:2::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::2%1', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  test('is the /64 of an IPv6 host, whichever of its addresses it comes from', () => {
    const admission = new Admission(() => ({ connections: 100, unauthenticatedPerAddress: 1 }))
    const first = admitted(admission, '2001:db8:1:2::1')
    expect(admitted(admission, '2001:db8:1:2:ffff::1').refusal?.reason).toBe(tooMany)
    expect(admission.admit('2001:db8:1:2::3')).toMatchObject({ dropped: { code: 'limit-unauthenticated' } })
    expect(admitted(admission, '2001:db8:1:3::1').refusal).toBeUndefined()
    first.closed()
    expect(admitted(admission, '2001:db8:1:2::4').refusal?.reason).toBe(tooMany) // the second is still there
  })
})

/** No balancer stands in front of these. */
const quiet = { refused: () => expect.fail('refused'), dropped: () => undefined, headerMs: () => 10_000 }

describe('a listener', () => {
  async function listening(accept: (socket: Socket, admitted: Admitted) => void, perAddress = 10) {
    const admission = new Admission(() => ({ connections: 100, unauthenticatedPerAddress: perAddress }))
    const at = { address: '127.0.0.1', port: 0, directTls: false }
    const listener = new Listener(at, admission, {
      ...quiet,
      accept: (socket, of) => accept(keep(socket), of),
    })
    const { port } = await listener.listen()
    onTestFinished(() => listener.close())
    return { listener, admission, port }
  }

  test('says which address it cannot have, and why', async () => {
    const { port } = await listening(() => undefined)
    const second = new Listener(
      { address: '127.0.0.1', port, directTls: false },
      new Admission(() => ({ connections: 1, unauthenticatedPerAddress: 1 })),
      { ...quiet, accept: () => undefined },
    )
    await expect(second.listen()).rejects.toThrow(
      new RegExp(
        `^cannot listen on 127\\.0\\.0\\.1 port ${port}: EADDRINUSE; another program .* sport = :${port}`,
      ),
    )
  })

  test('resets who comes over twice the limit, unseen by anybody', async () => {
    let seen = 0
    const { port } = await listening(() => void seen++, 1)
    for (let count = 0; count < 2; count++) await once(keep(connect(port, '127.0.0.1')), 'connect')
    const third = connect(port, '127.0.0.1')
    keep(third)
    await new Promise(resolve => third.once('close', resolve))
    expect(seen).toBe(2)
  })

  test('lets nobody in once it is closed, and drops the others only when told to', async () => {
    const accepted = Promise.withResolvers<Socket>()
    const { listener, admission, port } = await listening(socket => accepted.resolve(socket))
    const peer = keep(connect(port, '127.0.0.1'))
    const ours = await accepted.promise
    listener.close()
    const [refused] = await once(connect(port, '127.0.0.1'), 'error')
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
    expect(ours.destroyed).toBe(false)
    listener.destroy()
    peer.resume()
    await once(peer, 'close')
    expect(admission.total).toBe(0)
  })
})
