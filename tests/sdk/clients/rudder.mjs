// Plays one story through @rudderstack/rudder-sdk-node and prints what the client reports.
import { createRequire } from 'node:module'

const exported = createRequire(import.meta.url)('@rudderstack/rudder-sdk-node')
const Analytics = exported.default ?? exported
const [host, writeKey, count] = process.argv.slice(2)
const report = { delivered: 0, failures: [] }
const client = new Analytics(writeKey, {
  dataPlaneUrl: host,
  flushAt: 20,
  flushInterval: 100,
  errorHandler: (error) => report.failures.push(String(error.response?.status ?? error.message)),
})
const seen = (error) => {
  if (error) report.failures.push(String(error.response?.status ?? error.message))
  else report.delivered += 1
}

if (count) {
  for (let n = 0; n < Number(count); n++) {
    client.track({ userId: `u${n}`, event: 'Product Viewed', properties: { n } }, seen)
  }
} else {
  client.identify({ userId: 'u1', traits: { email: 'Li.Lei@Example.com', plan: 'gold' } }, seen)
  client.track(
    {
      userId: 'u1',
      anonymousId: 'a1',
      event: 'Order Completed',
      properties: { revenue: 99.5, products: [{ sku: 'tea', price: 12.5, quantity: 2 }] },
    },
    seen,
  )
  client.page({ userId: 'u1', name: 'Home', properties: { language: 'zh' } }, seen)
  client.screen({ userId: 'u1', name: 'Cart' }, seen)
  client.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Acme' } }, seen)
  client.alias({ userId: 'u1', previousId: 'anon-7' }, seen)
}
const deadline = Date.now() + 300_000
const expected = count ? Number(count) : 6
while (report.delivered + report.failures.length < expected && Date.now() < deadline) {
  await client.flush().catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 50))
}
console.log(JSON.stringify(report))
process.exit(0)
