import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { expect, onTestFinished } from 'vitest'
import type { Credential, SecuredSocket, TlsContexts } from '../../src/transport/tls.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'
import type { Issued } from '../support/certificates.ts'

/** A domain of these tests. */
export function domain(text: string): Domain {
  return parseDomain(text) ?? expect.fail(`no domain: ${text}`)
}

/** A credential for a domain, with the chain that was issued. */
export function credential(name: string, issued: Issued): Credential {
  return { domain: domain(name), certificatePem: issued.chainPem, keyPem: issued.keyPem }
}

/** The two ends of a loopback connection, half-open as the gateway's sockets are; closed when the test ends. */
export async function connected(): Promise<{ near: net.Socket; far: net.Socket }> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  const far = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const [near] = (await once(server, 'connection')) as [net.Socket]
  for (const socket of [near, far]) {
    socket.on('error', () => undefined) // a reset is no failure of a test
    onTestFinished(() => void socket.destroy())
  }
  return { near, far }
}

/** An abort signal that nobody fires. */
export function patience(): AbortSignal {
  return new AbortController().signal
}

/** Runs the handshake between two gateways: contoso.com accepts, fabrikam.com connects. */
export async function between(
  contoso: TlsContexts,
  fabrikam: TlsContexts,
  options: { directTls?: boolean; remote?: string; unguarded?: boolean } = {},
): Promise<{ accepted: SecuredSocket; connected: SecuredSocket }> {
  const { directTls = false, remote = 'contoso.com' } = options
  const { near, far } = await connected()
  const signal = patience()
  const names = { local: domain('fabrikam.com'), remote: domain(remote) }
  const [accepted, secured] = await Promise.all([
    contoso.accept(near, { directTls, signal }),
    fabrikam.connect(far, { ...names, directTls, signal }),
  ])
  const kept = options.unguarded ? (ends: SecuredSocket) => ends : guard
  return { accepted: kept(accepted), connected: kept(secured) }
}

/** Lets a foreign TLS client connect, and runs our side of the handshake. */
export async function acceptFrom(
  contoso: TlsContexts,
  client: tls.ConnectionOptions,
  directTls = false,
): Promise<{ accepted: SecuredSocket; client: tls.TLSSocket }> {
  const { near, far } = await connected()
  const foreign = tls.connect({
    socket: far,
    rejectUnauthorized: false,
    servername: 'contoso.com',
    ...client,
  })
  foreign.on('error', () => undefined)
  onTestFinished(() => void foreign.destroy())
  const accepted = await contoso.accept(near, { directTls, signal: patience() })
  return { accepted: guard(accepted), client: foreign }
}

function guard(secured: SecuredSocket): SecuredSocket {
  secured.socket.on('error', () => undefined)
  onTestFinished(() => void secured.socket.destroy())
  return secured
}
