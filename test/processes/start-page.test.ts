import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Command, startFake } from './start-command.ts'

// The live page in a real browser, where there is one.

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))

describe.skipIf(executablePath === undefined)('the live page in a browser', () => {
  let command: Command
  let browser: Browser
  let url = ''
  beforeAll(async () => {
    command = startFake(['--page-port', '0', '--rate', '50'])
    const [, found = ''] = await command.says(/live page at (\S+)\n[^]*3\/3 nodes up/)
    url = found
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ['--no-sandbox'],
    })
  })
  afterAll(async () => {
    await browser.close()
    command.process.kill('SIGTERM')
    await command.ended
  })

  it.each(['light', 'dark'] as const)('shows live figures and an ad (%s)', async (colorScheme) => {
    const page = await browser.newPage({ colorScheme })
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) faults.push(`asked ${request.url()}`)
    })
    await page.goto(url)
    await page.locator('#state', { hasText: 'live' }).waitFor()
    await page.locator('#nodes tr').nth(2).waitFor()
    await page.locator('#campaigns li', { hasText: 'desk-lamp' }).waitFor()
    const ad = page.locator('.slot.top img')
    await ad.waitFor({ timeout: 30_000 })
    const isDrawn = await ad.evaluate((image: { complete: boolean; naturalWidth: number }) => {
      return image.complete && image.naturalWidth > 0
    })
    await ad.click()
    await page.locator('#ad-more', { hasText: 'counted' }).waitFor()
    const first = await page.locator('#requests').textContent()
    await expect
      .poll(() => page.locator('#requests').textContent(), { timeout: 10_000 })
      .not.toBe(first)

    expect(await page.locator('#nodes tr td:nth-child(2)').allTextContents()).toEqual(
      Array(3).fill('up'),
    )
    expect(isDrawn).toBe(true)
    expect(faults).toEqual([])
    await page.close()
  })

  it('fits a telephone: nothing but the table of nodes is wider than the screen', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } })
    await page.goto(url)
    await page.locator('#nodes tr').nth(2).waitFor()
    const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')

    expect(widths).toEqual([390, 390])
    await page.close()
  })
})
