import { expect, test } from 'vitest'
import { listenFault } from '../../src/telemetry/listen-fault.ts'

test.each([
  [
    'EADDRINUSE',
    /^cannot listen on :: port 269: EADDRINUSE; .*sport = :269.*0\.0\.0\.0.*change admin\.port$/,
  ],
  ['EADDRNOTAVAIL', /EADDRNOTAVAIL; this machine does not have the address .*change admin\.port$/],
  ['EACCES', /EACCES; ports below 1024 are not for this user: give admin\.port one from 1024 on$/],
  ['EAFNOSUPPORT', /EAFNOSUPPORT; this machine has no IPv6: change admin\.port to 0\.0\.0\.0$/],
  ['EMFILE', /^cannot listen on :: port 269: EMFILE$/],
])('%s is told with what to do, as far as that is known', (code, words) => {
  const error = Object.assign(new Error(code), { code })
  const fault = listenFault({ address: '::', port: 269, setting: 'admin.port' }, error)
  expect(fault.message).toMatch(words)
  expect(fault.cause).toBe(error)
})

test('EACCES on a port that any user may have is not told as if it were a low one', () => {
  const error = Object.assign(new Error('EACCES'), { code: 'EACCES' })
  const { message } = listenFault({ address: '::', port: 5269, setting: 'server.port' }, error)
  expect(message).toMatch(
    /port 5269: EACCES; this system does not let this user listen there .*change server\.port$/,
  )
})
