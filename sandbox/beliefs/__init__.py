"""What this project believes about EC2's routing and could not verify, asked of any EC2 endpoint."""
