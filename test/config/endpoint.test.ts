import { expect, test } from 'vitest'
import { parseEndpoint } from '../../src/config/endpoint.ts'

test.each([
  ['xmpp-edge.fabrikam.com:5269', { host: 'xmpp-edge.fabrikam.com', port: 5269 }],
  ['xmpp-edge.fabrikam.com', { host: 'xmpp-edge.fabrikam.com', port: 53 }],
  ['MÜNCHEN.example:1', { host: 'xn--mnchen-3ya.example', port: 1 }],
  ['192.0.2.1:65535', { host: '192.0.2.1', port: 65_535 }],
  ['[2001:db8::1]:5353', { host: '2001:db8::1', port: 5353 }],
  ['[::1]', { host: '::1', port: 53 }],
  ['2001:db8::1', undefined],
  ['[192.0.2.1]:53', undefined],
  ['[fabrikam.com]:53', undefined],
  ['fabrikam.com:0', undefined],
  ['fabrikam.com:65536', undefined],
  ['fabrikam.com:', undefined],
  ['fabrikam.com:http', undefined],
  ['fabrikam.com:5269 ', undefined],
  ['xmpp://fabrikam.com:5269', undefined],
  [':53', undefined],
  ['', undefined],
])('an endpoint written %j', (text, expected) => {
  expect(parseEndpoint(text, 53)).toEqual(expected)
})
