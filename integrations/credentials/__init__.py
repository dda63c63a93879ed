"""What proves to other systems who we are: the credentials that each kind takes, their forms, and what hides them."""
