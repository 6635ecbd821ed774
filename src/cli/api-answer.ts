import { ConfigError } from '../config/problems.ts'
import { type ApiAnswer, ApiError, type GatewayApi } from './gateway-api.ts'
import type { Host } from './host.ts'
import { formatProblems, tellError } from './output.ts'

/** The API has refused. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly exitStatus: number

  constructor({ status, value }: ApiAnswer) {
    super((value as { error?: { message?: string } }).error?.message ?? `the gateway answers ${status}`)
    this.exitStatus = status === 400 ? 2 : 1
  }
}

/** What the API says, where it does not refuse. @throws what `withApi` tells the operator */
export async function good(asked: Promise<ApiAnswer>): Promise<unknown> {
  const answer = await asked
  if (answer.status >= 300) throw new Refusal(answer)
  return answer.value
}

/**
 * Runs a command with the API; what goes wrong with it goes to standard error.
 * @returns the exit status
 */
export async function withApi(
  open: Promise<GatewayApi>,
  host: Host,
  work: (api: GatewayApi) => Promise<void>,
): Promise<number> {
  let api: GatewayApi | undefined
  try {
    api = await open
    await work(api)
    return 0
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems, host))
    else if (error instanceof ApiError || error instanceof Refusal)
      tellError(`gatehouse: ${error.message}`, host)
    else throw error
    return error instanceof Refusal ? error.exitStatus : 1
  } finally {
    api?.close()
  }
}
