"""The ledger: the contacts behind the numbers, in Parquet files that manifests name."""
