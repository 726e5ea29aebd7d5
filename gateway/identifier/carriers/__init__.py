"""Active identifier carriers (主动标识载体): they sign what a machine reports."""
