import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { certificationRequest } from '../../src/identity/certification-request.ts'
import { encode, integer, sequence } from '../../src/identity/der.ts'
import { oids } from '../../src/identity/oids.ts'
import { parseRequest } from '../../src/identity/requested.ts'
import { createAuthority } from '../support/certificates.ts'

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const names = { dns: ['contoso.com'], srv: ['_xmpp-server.contoso.com'], xmpp: ['b\u00fccher.example'] }
const subject = {
  country: 'DE',
  state: undefined,
  city: 'M\u00fcnchen',
  organization: 'Contoso AG',
  unit: undefined,
  commonName: 'contoso.com',
}
const request = certificationRequest({ ...keys, subject, names, friendlyName: 'Edge' })

describe('a request', () => {
  test('is read as it was made', () => {
    expect(parseRequest(request)).toEqual({
      subject: 'C=DE, L=M\u00fcnchen, O=Contoso AG, CN=contoso.com',
      names,
      publicKey: keys.publicKey.export({ type: 'spki', format: 'der' }),
      extendedKeyUsage: new Set([oids.serverAuth, oids.clientAuth]),
    })
  })

  test.each([
    ['no DER', Buffer.from('nothing')],
    ['a certificate', createAuthority().certificate],
    ['no fields', encode(sequence(sequence(integer(Buffer.of(0)))))],
  ])('is refused: %s', (_name, der) => {
    expect(() => parseRequest(der)).toThrow(Error)
  })

  test('of which anything is cut off is refused', () => {
    for (let length = 0; length < request.length; length += 7)
      expect(() => parseRequest(request.subarray(0, length))).toThrow(Error)
  })
})
