/** The folder of ours in each root. */
export const OWN_FOLDER = '.sluice'
