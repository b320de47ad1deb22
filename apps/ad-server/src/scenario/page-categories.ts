/**
 * How well content categories fit a page, judged by its address: 0 to 1 by id of the IAB Content
 * Taxonomy 3.0. The table was written for the recorded site, a blog about computers.
 */
export function categoryScoresOf(path: string): Readonly<Record<string, number>> {
  const scores: Record<string, number> = { [CATEGORY.technology]: 0.4 }
  for (const [pattern, fitting] of TABLE) {
    if (!pattern.test(path)) continue
    for (const [category, score] of Object.entries(fitting))
      scores[category] = Math.max(score, scores[category] ?? 0)
  }
  return scores
}

export const CATEGORY = {
  technology: '596',
  networking: '600',
  software: '602',
  browsers: '609',
  operatingSystems: '615',
  dataStorage: '616',
  security: '618',
  cloud: '620',
  webDevelopment: '621',
  support: '626',
  programming: '631',
} as const

const { networking, software, browsers, operatingSystems, dataStorage, security } = CATEGORY
const { cloud, webDevelopment, support, programming } = CATEGORY

const TABLE: readonly (readonly [RegExp, Readonly<Record<string, number>>])[] = [
  [/puppet|mcollective|nagios|monitor/i, { [support]: 0.9, [cloud]: 0.6 }],
  [/ssl|ssh|security|captive|arp|sasl|ldap/i, { [security]: 0.9, [networking]: 0.6 }],
  [/dns|ppp|dhcp|network|ec2|header/i, { [networking]: 0.8, [support]: 0.5 }],
  [/logstash|grok|kibana|logging/i, { [dataStorage]: 0.8, [cloud]: 0.7 }],
  [/xdotool|keynav|x11|xlib|xvfb|fex/i, { [operatingSystems]: 0.7, [software]: 0.8 }],
  [/ubuntu|windows|linux|solaris|disk|partition|vim/i, { [operatingSystems]: 0.9 }],
  [/firefox|jquery|web|html|css|sites/i, { [browsers]: 0.7, [webDevelopment]: 0.8 }],
  [/python|java|ruby|perl|assert|\/c$|docs|scripts/i, { [programming]: 0.9, [software]: 0.5 }],
]
