// Opens a page in Chromium and waits for its `report`; leaves the page when a line comes on standard
// input, and ends the browser when that is closed; prints the report.
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const PATIENCE = 300_000
const [executablePath, profile, address] = process.argv.slice(2)
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  timeout: PATIENCE,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--no-proxy-server',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
context.setDefaultTimeout(PATIENCE)
const page = await context.newPage()
const complaints = []
page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
page.on('pageerror', (error) => complaints.push(String(error)))
const foreign = new Set()
page.on('request', (request) => {
  const host = new URL(request.url()).hostname
  if (host && host !== '127.0.0.1') foreign.add(host)
})
await page.goto(address)
await page.waitForFunction(() => window.report !== undefined)
const report = await page.evaluate(() => window.report)
for await (const _ of createInterface({ input: process.stdin })) await page.goto('about:blank')
await context.close()
console.log(JSON.stringify({ ...report, complaints, foreign: [...foreign] }))
