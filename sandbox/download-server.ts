import type {StaticFiles} from './static-files.js'

/** Where the miniature says that it downloads from; no such host exists. */
export const downloadsUrl = 'https://downloads.example/'

/** What is there: one file for each way of downloading that the miniature has. */
export const downloads: StaticFiles = new Map(
  ['added.txt', 'by-curl.txt', 'by-wget.txt', 'by-script.txt'].map(name => [
    `/moby/${name}`,
    Buffer.from(`${name} of the download server\n`)
  ])
)
