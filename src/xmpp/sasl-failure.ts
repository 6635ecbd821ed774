/** The defined SASL failure conditions, RFC 6120 §6.5. */
export const saslConditions = [
  'aborted',
  'account-disabled',
  'credentials-expired',
  'encryption-required',
  'incorrect-encoding',
  'invalid-authzid',
  'invalid-mechanism',
  'malformed-request',
  'mechanism-too-weak',
  'not-authorized',
  'temporary-auth-failure',
] as const

export type SaslCondition = (typeof saslConditions)[number]
