"""Groups that stay together, sounds that come twice, and the stratified draw of training, validation and test."""
