goes-with = Goes well with it
