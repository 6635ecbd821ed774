import { z } from 'zod'
import { defineRoute, type Route } from './api.ts'

const healthJson = z.strictObject({
  ready: z.boolean(),
  detail: z.string().describe('Why it is not ready, if it is not.'),
  version: z.string(),
  started: z.iso.datetime(),
  uptimeSeconds: z.int(),
  listening: z.array(z.strictObject({ address: z.string(), port: z.int(), directTls: z.boolean() })),
})

/** How the gateway is. */
export type HealthJson = Readonly<z.output<typeof healthJson>>

const certificateJson = z.strictObject({
  domain: z.string().describe('The local domain that it is shown for.'),
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  names: z.strictObject({
    dns: z.array(z.string()).readonly(),
    srv: z.array(z.string()).readonly(),
    xmpp: z.array(z.string()).readonly(),
  }),
  isCa: z.boolean(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  daysLeft: z.int().describe('Whole days; negative once it has expired.'),
  key: z.string(),
  signature: z.string(),
  purposes: z.array(z.string()).readonly().nullable().describe('Extended key usage; null = for any purpose.'),
  fingerprint: z.string().describe('As pinnedCertificates takes it.'),
})

/** A certificate of ours, and the domain it is for. */
export type CertificateJson = Readonly<z.output<typeof certificateJson>>

/** The routes that tell how the gateway is. */
export function statusRoutes(
  health: () => HealthJson,
  certificates: () => readonly CertificateJson[],
): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/health',
      role: 'viewer',
      summary: 'Whether the gateway does its work, since when, and where.',
      answers: { 200: healthJson },
      handle: () => [200, health()],
    }),
    defineRoute({
      method: 'GET',
      path: '/certificates',
      role: 'viewer',
      summary: 'The certificates in use, one for each local domain.',
      answers: { 200: z.strictObject({ certificates: z.array(certificateJson) }) },
      handle: () => [200, { certificates: [...certificates()] }],
    }),
  ]
}
