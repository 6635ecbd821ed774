import { describe, expect, test } from 'vitest'
import { proveByCertificate, proveByDialback } from '../../src/identity/proof.ts'
import { domain } from '../support/inbound-peer.ts'

const pair = { local: domain('contoso.com'), remote: domain('fabrikam.com') }

describe('a proof', () => {
  test('names the pair and how it was proven', () => {
    expect(proveByCertificate(pair, 'valid')).toEqual({ ...pair, method: 'sasl-external-tls' })
    expect(proveByDialback(pair, 'valid', { secure: true })).toEqual({ ...pair, method: 'dialback-tls' })
    expect(proveByDialback(pair, 'valid', { secure: false })).toEqual({ ...pair, method: 'dialback-tcp' })
  })

  test.each(['invalid', 'none'] as const)('is not had by a certificate that is %s', standing => {
    expect(() => proveByCertificate(pair, standing)).toThrow('no valid certificate for fabrikam.com')
  })

  test('is not had by a key that is not valid, whatever a type says', () => {
    expect(() => proveByDialback(pair, 'invalid' as 'valid', { secure: true })).toThrow(
      'no valid dialback key',
    )
  })

  test('cannot be changed afterwards', () => {
    const proof = proveByCertificate(pair, 'valid') as { remote: string }
    expect(() => {
      proof.remote = 'example.net'
    }).toThrow(TypeError)
  })
})
