"""What people must decide: cases."""
