# Our translation of the Ministry's notices and rules of conduct, version 108-06. The Chinese text is the one in force.
notice-1 = 1. This service checks whether the national ID card data entered match the data stored in the Ministry's household registration system.
notice-2 = 2. Only bodies that are not government agencies may apply. Agencies apply to the Ministry for an agency connection.
notice-3 = 3. To obtain access, an organisation fills in the application on the Ministry's site with its business-certificate card and agrees to keep the Ministry's rules.
notice-4 = 4. An organisation needs a business reason, and states in the field for purpose by which supervising authority's which rule the verification is needed. Where this is not stated the Ministry may reject the application.
notice-5 = 5. Access is given once the Ministry has approved the application, as a rule within 5 working days. Where the Ministry has questions, the organisation answers within 5 working days of being told. The outcome is sent by e-mail.
notice-6 = 6. Once three queries about one national ID number on one day were wrong, that number can't be asked about again on that day.
notice-7 = 7. An organisation whose host addresses (IP) change applies for a change of address.
notice-8 = 8. An organisation applies for suspension when (1) it stops verifying, (2) it has not used the service for a long time, or (3) its unified business number changes: the old number is suspended first, and once that is approved the new number applies again.
notice-9 = 9. Where the Ministry finds abnormal use, the organisation explains within the period set. Without an explanation in time, or when it is not accepted, the Ministry may revoke access at once.
notice-10 = 10. After such a revocation an organisation that wants access again first proposes improvements; once the Ministry accepts them it may apply again.
notice-11 = 11. Every year the Ministry compares the organisations' names and unified business numbers with the register; access of an organisation that is no longer registered is revoked at once.
conduct-1 = 1. An organisation must not batch-test the service by third-party software or programs, nor disturb its operation.
conduct-2 = 2. An organisation keeps its systems secure and prevents intrusion into, and the taking, altering or destroying of, data obtained through the service.
conduct-3 = 3. An organisation keeps data obtained through the service confidential, in whatever form they are recorded: records, pictures, manuscripts, databases, text, sound, images, software and others.
conduct-4 = 4. For such data an organisation follows the Personal Data Protection Act and must not (1) provide, hand over, leak or transfer them to third parties in any way or for any reason, (2) use them for work that was not assigned, (3) copy or photograph them in whole or part, or (4) let third parties use or consult them.
conduct-5 = 5. Where an organisation breaks these rules the Ministry may revoke access without warning; improper use or breaches of privacy are pursued under the Criminal Code, the Personal Data Protection Act and other laws.

# Personal Data Protection Act, article 8, paragraph 1.
privacy-1 = 1. The data are collected by the agency named at the end of this page.
privacy-2 = 2. They are collected to receive and review applications for the service, to notify applicants, and to manage and audit the service.
privacy-3 = 3. The data are: name, landline, mobile number and e-mail address of the contact; company name, serial number and fingerprint of the company's certificate; times of signatures and actions, and the network addresses they came from.
privacy-4 = 4. Records of queries are kept for two years and mails for one year. Data of organisations and cases are kept for ten years after access ended and the last case was closed. Forms that were not sent are kept encrypted for one day; requests for a signature are deleted after their time limit. The times at which keys and hosts were used last are kept with the data of the organisation.
privacy-5 = 5. The data are used in Taiwan by officers of the agency for these purposes. Name, unified business number, purpose and starting date of companies with access are published in the register; contacts are not published.
privacy-6 = 6. The card data in queries about citizens are not stored; ID numbers are stored only as a hash that can't be reversed. PINs are not collected: the PIN goes only to the component on your computer.
privacy-7 = 7. Under article 3 of the Personal Data Protection Act you may ask to read, copy, complete, correct or delete your data, or to stop their collection, processing or use. You can change the contact with the card at any time; for other requests, contact the agency named at the end of this page.
privacy-8 = 8. Without a contact, an application can't be received and its outcome can't be sent.

accessibility-1 = 1. The service follows Taiwan's web accessibility guidelines 110.07 and WCAG 2.1 AA. Every page is checked with automatic tools.
accessibility-2 = 2. Everything can be done with the keyboard alone. Without JavaScript, forms can still be filled in; only signing with the card needs it.
accessibility-3 = 3. Signatures are made by the component of the certification authority; its window is not under the control of this service.
accessibility-4 = 4. The PDF of the operations document is tagged as PDF/UA-1 asks. The same content is available as a web page, too.
accessibility-5 = 5. If you can't use something, please tell us through the contact at the end of the page.
