-- The server inside, for compose.yaml: users of contoso.com log in here, and everybody else is reached over the gateway.
modules_enabled = {
  "disco", "roster", "saslauth", "tls", "blocklist", "carbons", "pep", "private", "smacks", "vcard4", "vcard_legacy",
  "ping", "register", "time", "uptime", "version",
}
modules_disabled = { "s2s" } -- the gateway owns federation

authentication = "internal_hashed"
c2s_require_encryption = true
certificates = "certs"
log = { info = "*console" }

component_ports = { 5347 }
component_interfaces = { "*" } -- of the container; the port is not published

VirtualHost "contoso.com"

-- One for each partner domain.
Component "fabrikam.com"
  component_secret = ENV_GATEHOUSE_COMPONENT_SECRET -- from the environment
