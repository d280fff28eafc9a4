"""What a judged message leads to: actions, sanctions, cases, reports and appeals."""
