import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { configFolder } from './config-folder.ts'
import type { RunningGateway } from './running-gateway.ts'
import { listen } from './wire.ts'
import { WirePeer } from './wire-peer.ts'

/** A TLS server that Node cannot be: it checks certificates within the handshake, and sends the alerts of OpenSSL. */
export async function startTlsServer(
  gateway: RunningGateway,
  { trusts = gateway.authority.certificatePem, args = [] }: { trusts?: string; args?: readonly string[] },
): Promise<number> {
  const { chainPem, keyPem } = gateway.authority.issueFor('fabrikam.com')
  const folder = configFolder({ 'chain.pem': chainPem, 'key.pem': keyPem, 'trusted.pem': trusts })
  const files = [
    '-cert',
    'chain.pem',
    '-cert_chain',
    'chain.pem',
    '-key',
    'key.pem',
    '-CAfile',
    'trusted.pem',
  ]
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, ...args], {
    cwd: folder.at(''),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  onTestFinished(async () => {
    if (server.exitCode !== null || !server.kill()) return
    await once(server, 'exit')
  })
  for await (const line of createInterface(server.stdout)) {
    const port = /^ACCEPT 127\.0\.0\.1:(\d+)$/.exec(line)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new Error('openssl s_server does not listen')
}

/** TLS as a client that judges our certificate within the handshake, over a connection that is there already. */
export async function startTlsClient(socket: Socket, trusts: string): Promise<void> {
  socket.removeAllListeners('data').removeAllListeners('end')
  const port = await listen(tls => void tls.pipe(socket).pipe(tls))
  const folder = configFolder({ 'trusted.pem': trusts })
  const options = ['-verify_return_error', '-CAfile', folder.at('trusted.pem')]
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  onTestFinished(async () => {
    if (client.exitCode !== null || !client.kill()) return
    await once(client, 'exit')
  })
}

/** A server of fabrikam.com that goes as far as `<proceed/>`; TLS is then done at `port`. */
export async function startTlsThrough(gateway: RunningGateway, port: number): Promise<void> {
  const accepting = await listen(socket => {
    const peer = new WirePeer(socket, gateway.identity())
    const work = async () => {
      await peer.greets(['starttls'])
      await peer.next('starttls', ns.tls)
      socket.removeAllListeners('data').removeAllListeners('end')
      const tls = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      tls.on('error', () => socket.destroy())
      onTestFinished(() => void tls.destroy())
      socket.pipe(tls).pipe(socket)
      socket.write(tag('proceed', { xmlns: ns.tls }))
    }
    work().catch(() => socket.destroy())
  })
  gateway.zone.federate('fabrikam.com', { port: accepting })
}
