"""What `mdepth doctor` looks at on any computer: packages and backends."""
