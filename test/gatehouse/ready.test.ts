import { expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'

test('the metric gatehouse_ready says what /readyz says, while the inside is there and when it is away', async () => {
  const gateway = await startGateway({ inside: 'component' })
  const said = () => [gateway.metric('gatehouse_ready'), gateway.gatehouse.readiness().ready]
  expect(said()).toEqual([1, true])
  const inside = await gateway.inside.component('fabrikam.com')
  inside.reset()
  await gateway.event('internal.disconnected')
  expect(said()).toEqual([0, false])
})
