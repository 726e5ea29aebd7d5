"""What is said in two languages: texts of pages, and sentences that code says in English."""
