"""What leaves the house to be kept or signed: workbooks, CSV, charts and PDFs, from plain rows."""
