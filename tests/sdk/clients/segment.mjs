// Plays one story through @segment/analytics-node and prints what the client reports.
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, count] = process.argv.slice(2)
const patience = { httpRequestTimeout: 300_000, maxRetries: 5 } // a slow machine is no failure
const analytics = new Analytics({ host, writeKey, flushAt: 15, flushInterval: 100, ...patience })
const report = { delivered: 0, failures: [] }
const seen = (error) => {
  if (error) report.failures.push(String(error.reason ?? error))
  else report.delivered += 1
}
analytics.on('error', (error) => report.failures.push(error.code))

if (count) {
  for (let n = 0; n < Number(count); n++) {
    analytics.track({ userId: `u${n}`, event: 'Product Viewed', properties: { n } }, seen)
  }
} else {
  analytics.identify({ userId: 'u1', traits: { email: 'Li.Lei@Example.com', plan: 'gold' } }, seen)
  analytics.track(
    {
      userId: 'u1',
      anonymousId: 'a1',
      event: 'Order Completed',
      properties: { revenue: 99.5, products: [{ sku: 'tea', price: 12.5, quantity: 2 }] },
    },
    seen,
  )
  analytics.page({ userId: 'u1', name: 'Home', properties: { language: 'zh' } }, seen)
  analytics.screen({ userId: 'u1', name: 'Cart' }, seen)
  analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Acme' } }, seen)
  analytics.alias({ userId: 'u1', previousId: 'anon-7' }, seen)
}
await analytics.closeAndFlush({ timeout: 300_000 })
console.log(JSON.stringify(report))
