/**
 * The figures of the built-in scenario. All are derived from public recordings of real systems; how is
 * said at each table, and replaying the recordings themselves (`--replay`) uses the same rules.
 */
export const SOURCE: string =
  'prices and clicks: Numenta Anomaly Benchmark, realAdExchange (MIT); volume: Numenta Anomaly Benchmark, ' +
  'realTweets (MIT); pages: Apache access log of the Elastic examples (Apache-2.0)'

/**
 * Means of each hour of the day, 2011-07-01 to 09-07: the price of 1,000 impressions in thousandths of a
 * dollar, and clicks per million impressions (price of 1,000 impressions / price of 1,000 clicks).
 */
export const EXCHANGES = [
  {
    id: 'exchange-2',
    cpmByHour: [
      224, 198, 164, 140, 176, 236, 236, 334, 506, 520, 541, 539, 544, 529, 481, 438, 376, 341, 298,
      278, 264, 261, 247, 235,
    ],
    clickRateByHour: [
      2979, 2911, 2679, 2562, 2430, 2643, 2391, 2760, 3198, 3688, 4242, 4389, 4435, 4293, 3822,
      3617, 3422, 3427, 3172, 3049, 3046, 3075, 2944, 2911,
    ],
  },
  {
    id: 'exchange-3',
    cpmByHour: [
      674, 706, 645, 618, 573, 560, 578, 632, 701, 828, 934, 1062, 1215, 1150, 1064, 899, 861, 782,
      806, 741, 715, 694, 691, 730,
    ],
    clickRateByHour: [
      6250, 6058, 5732, 5507, 5296, 5153, 5031, 5091, 5127, 5332, 5312, 5240, 6144, 6549, 6689,
      6718, 6383, 6416, 6483, 6219, 6242, 6277, 6307, 6316,
    ],
  },
  {
    id: 'exchange-4',
    cpmByHour: [
      522, 565, 447, 396, 370, 366, 376, 394, 619, 684, 486, 572, 724, 828, 740, 545, 694, 492, 506,
      495, 493, 458, 482, 458,
    ],
    clickRateByHour: [
      7535, 6611, 6468, 6208, 6094, 5987, 5941, 5791, 5853, 5675, 5657, 5688, 5801, 6432, 6958,
      7297, 7301, 7149, 6996, 6800, 6773, 6702, 6619, 6632,
    ],
  },
] as const

/**
 * Volume of each hour of the day, UTC, relative to the mean of the week: the mean of three companies'
 * mentions per 5 minutes, each relative to its own mean, bursts cut at five times the mean.
 */
export const VOLUME_BY_HOUR = {
  workday: [
    1.12, 1.07, 1.06, 1.14, 0.87, 0.73, 0.64, 0.59, 0.63, 0.67, 0.72, 0.82, 0.98, 1.16, 1.4, 1.43,
    1.47, 1.55, 1.66, 1.57, 1.64, 1.55, 1.27, 1.23,
  ],
  weekend: [
    0.84, 0.8, 0.72, 0.63, 0.61, 0.64, 0.45, 0.43, 0.47, 0.49, 0.43, 0.5, 0.6, 0.65, 0.77, 0.82,
    1.05, 0.92, 0.86, 0.87, 0.8, 0.8, 0.74, 0.69,
  ],
} as const

/** Pages of one site by how often people viewed them, 2015-05-17 to 05-20: the forty most viewed. */
export const PAGE_VIEWS = [
  { path: '/projects/xdotool/', views: 215 },
  { path: '/', views: 192 },
  { path: '/projects/xdotool/xdotool.xhtml', views: 146 },
  { path: '/articles/dynamic-dns-with-dhcp/', views: 129 },
  { path: '/blog/tags/puppet', views: 115 },
  { path: '/blog/geekery/ssl-latency.html', views: 75 },
  { path: '/blog/geekery/disabling-battery-in-ubuntu-vms.html', views: 58 },
  { path: '/articles/ssh-security/', views: 49 },
  { path: '/blog/geekery/solving-good-or-bad-problems.html', views: 49 },
  { path: '/presentations/logstash-puppetconf-2012/', views: 48 },
  { path: '/blog/geekery/installing-windows-8-consumer-preview.html', views: 38 },
  { path: '/presentations/puppet-at-loggly/puppet-at-loggly.pdf.html', views: 36 },
  { path: '/blog/geekery/xvfb-firefox.html', views: 33 },
  { path: '/presentations/logstash-scale11x/', views: 26 },
  { path: '/articles/ppp-over-ssh/', views: 25 },
  { path: '/presentations/logstash-metrics-sf-2012.10/', views: 25 },
  { path: '/presentations/logstash-1/', views: 24 },
  { path: '/projects/keynav/', views: 23 },
  { path: '/blog/geekery/debugging-java-performance.html', views: 20 },
  { path: '/blog/geekery/mounting-partitions-within-a-disk-image-in-linux.html', views: 18 },
  { path: '/files/logstash/', views: 18 },
  { path: '/blog/geekery/headless-wrapper-for-ephemeral-xservers.html', views: 17 },
  { path: '/kibana/', views: 16 },
  { path: '/articles/openldap-with-saslauthd/', views: 14 },
  { path: '/files/xdotool/docs/', views: 14 },
  { path: '/files/xdotool/docs/html/xdo_8h.html', views: 14 },
  { path: '/about/', views: 12 },
  { path: '/articles/arp-security/', views: 12 },
  { path: '/blog', views: 12 },
  { path: '/blog/geekery/CEE-logging-for-profit.html', views: 11 },
  { path: '/blog/tags/deb', views: 11 },
  { path: '/articles/week-of-unix-tools/', views: 10 },
  { path: '/blog/geekery/insist-on-better-asserts.html', views: 9 },
  { path: '/blog/tags/X11', views: 9 },
  { path: '/files/xdotool/docs/html/', views: 9 },
  { path: '/blog/tags/web', views: 8 },
  { path: '/presentations/vim/', views: 8 },
  { path: '/articles/efficiency/', views: 7 },
  { path: '/blog/geekery/tf2-wine-linux-performance-tuning.html', views: 7 },
  { path: '/blog/geekery/xdotool-2.20110530.html', views: 7 },
] as const
