import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { closeServer, listenForHttp, type Respond } from '../../src/admin/http.ts'
import { silentLog } from '../support/log.ts'

async function listen(respond: Respond): Promise<number> {
  const server = await listenForHttp({ host: '127.0.0.1', port: 0 }, respond, silentLog)
  onTestFinished(() => closeServer(server))
  return (server.address() as AddressInfo).port
}

async function connected(port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Of a connection that the other side may end while something is written. */
function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => {})
  return new Promise(resolve => socket.once('close', () => resolve()))
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`
const reply = { status: 200, type: 'a/b', body: 'x' }

describe('requests one behind the other', () => {
  test('are answered in order, 16 at once', async () => {
    const asked: string[] = []
    const port = await listen(async ({ url = '' }) => {
      asked.push(url)
      await new Promise(setImmediate)
      return { ...reply, body: `${url};` }
    })
    const socket = await connected(port)
    const paths = Array.from({ length: 16 }, (_, at) => `/${at}`)
    socket.write(paths.map((path, at) => get(path, at === 15 ? 'Connection: close\r\n' : '')).join(''))
    const bodies = (await text(socket)).match(/\/\d+;/g)
    expect([asked, bodies]).toEqual([paths, paths.map(path => `${path};`)])
  })

  test('beyond that end the connection, whose answers nobody reads', async () => {
    let asked = 0
    const port = await listen(() => {
      asked++
      return new Promise(() => {}) // none is ever answered
    })
    const socket = await connected(port)
    const closed = closeOf(socket)
    socket.write(get('/').repeat(1000))
    await closed
    expect(asked).toBe(16)
  })

  test('are 1000 on a connection, then another is made', async () => {
    const port = await listen(() => reply)
    const socket = await connected(port)
    const ask = async () => {
      socket.write(get('/'))
      const [answer] = await once(socket, 'data')
      return /^HTTP\/1\.1 200 [\s\S]*connection: (keep-alive|close)/i.exec(String(answer))?.[1]
    }
    for (let at = 1; at < 1000; at++) expect(await ask()).toBe('keep-alive')
    expect(await ask()).toBe('close')
  })
})
