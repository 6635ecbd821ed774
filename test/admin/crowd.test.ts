import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Crowd } from '../../src/admin/crowd.ts'
import { closeServer, listenForHttp } from '../../src/admin/http.ts'
import { silentLog } from '../support/log.ts'

const admitted = (crowd: Crowd, addresses: readonly (string | undefined)[]) =>
  addresses.filter(address => crowd.admit(address) !== undefined).length
const times = (count: number, address: string | undefined) => Array<string | undefined>(count).fill(address)

describe('the admin port', () => {
  test('has 16 connections for an address, and 64 for all', () => {
    const crowd = new Crowd()
    expect(admitted(crowd, times(20, '192.0.2.1'))).toBe(16)
    const network = Array.from({ length: 20 }, (_, at) => `2001:db8:1:2::${at + 1}`)
    expect(admitted(crowd, network)).toBe(16)
    const others = Array.from({ length: 100 }, (_, at) => `198.51.100.${at}`)
    expect(admitted(crowd, others)).toBe(32)
  })

  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', undefined])(
    'keeps 64 more for this machine, whoever else there is: %s',
    address => {
      const crowd = new Crowd()
      admitted(
        crowd,
        Array.from({ length: 100 }, (_, at) => `198.51.100.${at}`),
      )
      expect(admitted(crowd, times(70, address))).toBe(64)
    },
  )

  test('lets another in when one has gone', () => {
    const crowd = new Crowd()
    const leave = crowd.admit('192.0.2.1')
    expect(admitted(crowd, times(20, '192.0.2.1'))).toBe(15)
    leave?.()
    expect(admitted(crowd, times(20, '192.0.2.1'))).toBe(1)
  })

  test('closes the connections that are too many', async () => {
    const server = await listenForHttp(
      { host: '127.0.0.1', port: 0 },
      () => ({ status: 200, type: 'a/b', body: '' }),
      silentLog,
    )
    onTestFinished(() => closeServer(server))
    const connections = times(20, '192.0.2.1').map(remoteAddress => {
      const duplex = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() })
      server.emit('connection', Object.assign(duplex, { remoteAddress }) as unknown as Socket)
      return duplex
    })
    expect(connections.filter(({ destroyed }) => destroyed)).toHaveLength(4)
    for (const connection of connections) connection.destroy()
  })
})
