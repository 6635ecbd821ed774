/** Object identifiers of X.509 (RFC 5280), its extensions and its algorithms, once. */
export const oids = {
  // attributes of a name, X.520
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  city: '2.5.4.7',
  state: '2.5.4.8',
  organization: '2.5.4.10',
  unit: '2.5.4.11',
  emailAddress: '1.2.840.113549.1.9.1',
  // attributes of a request, RFC 2985
  extensionRequest: '1.2.840.113549.1.9.14',
  friendlyName: '1.2.840.113549.1.9.20',
  // content of PKCS #7, RFC 2315
  signedData: '1.2.840.113549.1.7.2',
  // extensions, RFC 5280 §4.2.1
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
  // purposes, RFC 5280 §4.2.1.12
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  // otherName forms of subjectAltName
  xmppAddr: '1.3.6.1.5.5.7.8.5', // RFC 6120 §13.7.1.4
  srvName: '1.3.6.1.5.5.7.8.7', // RFC 4985
  // signature algorithms, RFC 8017, RFC 5758, RFC 8410
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  rsaPss: '1.2.840.113549.1.1.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const
