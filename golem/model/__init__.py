"""Values: what nodes say, what happens, what is done. No behaviour beyond their own validity."""
