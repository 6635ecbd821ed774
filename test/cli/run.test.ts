import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { answerTheEnd } from '../gatehouse/numbered.ts'
import { configFolder } from '../support/config-folder.ts'
import { InsideServer } from '../support/inside-server.ts'

describe('the daemon', () => {
  test('that gets SIGHUP while it starts reloads once it has started', async () => {
    const inside = await InsideServer.start()
    const folder = configFolder({
      'config/gatehouse.yaml': JSON.stringify({
        listen: [{ address: '127.0.0.1', port: 0 }],
        domains: { 'contoso.com': { selfSigned: true } },
        internal: { connector: 'component', host: '127.0.0.1', port: inside.port, secret: inside.secret },
        trust: { system: false },
        admin: { port: 0 },
        log: { level: 'error' },
      }),
    })
    const listeners = new Map<string, () => void>()
    const status = run(folder.file, {
      env: {},
      out: () => undefined,
      err: () => undefined,
      onSignal: (signal, listener) => {
        listeners.set(signal, listener)
        return () => listeners.delete(signal)
      },
      figures: process,
    })
    const hangup = listeners.get('SIGHUP') // it has read its files, and nothing else has happened yet
    expect(hangup).toBeTypeOf('function')
    const partners = [{ primaryDomain: 'fabrikam.com', partnerType: 'federated' }]
    writeFileSync(folder.at('config/partners.yaml'), JSON.stringify({ partners }))
    hangup?.()
    answerTheEnd(await inside.component('fabrikam.com'))
    listeners.get('SIGTERM')?.()
    expect(await status).toBe(0)
    expect(listeners.size).toBe(0)
  })
})
