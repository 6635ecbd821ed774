import { expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'

const domains = {
  'contoso.com': { certificate: 'local.crt', key: 'local.key' },
  'contoso.org': { selfSigned: true },
}

test.each([
  ['without SNI', 'contoso.org', '', 'contoso.org'],
  ['without SNI', 'contoso.com', '', 'contoso.com'],
  ['with SNI', 'contoso.com', 'contoso.org', 'contoso.org'],
])(
  'a peer %s on a stream to %s (SNI %j) is shown the certificate of %s',
  async (_, to, servername, shown) => {
    const gateway = await startGateway({ settings: { domains } })
    const peer = await gateway.connect()
    await peer.opens({ to })
    await peer.startsTls({ servername, rejectUnauthorized: false })
    expect(peer.tls.getPeerX509Certificate()?.subjectAltName).toContain(`DNS:${shown}`)
  },
)
