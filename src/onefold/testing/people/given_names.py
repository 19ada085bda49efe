"""Given names, about as frequent as their place in the list says, and what people make of them."""

from __future__ import annotations

CURVE = (0.9, 5.0)
MIXED_CURVE = (0.5, 5.0)
"""Of many countries: no name is as common as it is in its own."""
MEN_CURVE, RARE_MEN = (1.05, 8.0), 0.12
WOMEN_CURVE, RARE_WOMEN = (0.55, 1.0), 0.3
"""As in the United States' census of 1990, with the share of those whose name is in no list.

There the commonest name, 10, 100 and 250 are .033, .232, .595 and .761 of men, and two have the same with 1 in 124; here
.032, .212, .639, .831 and 1 in 127. Of women there .026, .107, .431, .629 and 1 in 323; here .024, .113, .384, .599 and 1 in 321.
"""

MEN = """James Michael Robert John David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony
Mark Steven Donald Andrew Joshua Paul Kenneth Kevin Brian Timothy Ronald Jason George Edward Jeffrey Ryan Jacob
Nicholas Gary Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Frank
Raymond Jack Dennis Jerry Tyler Aaron Jose Adam Nathan Henry Zachary Douglas Peter Kyle Noah Ethan Jeremy
Christian Walter Keith Austin Roger Terry Sean Gerald Carl Dylan Harold Jordan Jesse Bryan Lawrence Arthur Gabriel
Bruce Logan Billy Joe Alan Juan Elijah Willie Albert Wayne Randy Mason Vincent Liam Roy Bobby Caleb Bradley
Russell Lucas Philip Eugene Louis Randall Harry Howard Fred Martin Ralph Curtis Shawn Todd Craig Derek Evan Phillip
Cody Dale Marcus Victor Leonard Connor Travis Stanley Chad Ernest Norman Ian Oscar Isaac Antonio Trevor Cole Luke
Cameron Max Owen Wesley Mitchell Allen Glenn Dean Cory Melvin Warren Clarence Alvin Leon Theodore Gordon Hunter Seth
Edwin Isaiah Blake Jared Leroy Francis Micah Calvin Clifford Vernon Herbert Lewis Oliver Spencer Darrell Gilbert Brett
Julian Xavier Miles Damian Chase Colin Preston Garrett Dominic Levi Grant Devin Ivan Simon Maurice Roland Clayton
Franklin Marvin Lloyd Duane Harvey Milton Rodney Jerome Neil Perry Ross Lance Ted Felix Hector Edgar Abraham Rex
Elliot Everett Silas Ezra Asher Jude Graham Rhys Callum Angus Alistair Hugh Rupert Nigel Malcolm Desmond Winston
Barrett Beau Brady Brent Bryce Byron Cedric Chester Clark Clay Clint Clyde Conrad Dalton Damon Darius Darren Darryl
Dominick Donovan Doyle Drew Dwayne Dwight Earl Edmund Elmer Emmett Erik Forrest Frederick Gavin Geoffrey Gerard Guy
Hank Heath Homer Horace Ira Irving Ismael Jarvis Jasper Joel Johnny Kendall Kent Kirk Kurt Lamar Leland Lester Lonnie
Luther Lyle Marc Marion Marshall Morris Myron Nathaniel Nelson Nolan Otis Percy Pierce Quentin Quinn Reginald Rick
Roderick Roman Ruben Rufus Salvador Sam Sawyer Sheldon Sherman Sidney Sylvester Terrence Tobias Tommy Tony Trent
Tristan Tyrone Virgil Wade Wallace Wendell Wilbur Willard Zane""".split()
WOMEN = """Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Sandra Margaret
Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Dorothy Amy
Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha Katherine Christine Debra Rachel Carolyn Janet Maria
Olivia Heather Helen Catherine Diane Julie Victoria Joyce Lauren Kelly Christina Ruth Joan Virginia Judith Evelyn
Hannah Andrea Megan Cheryl Jacqueline Madison Teresa Abigail Sophia Martha Sara Gloria Janice Kathryn Ann Isabella
Judy Charlotte Julia Grace Amber Alice Jean Denise Frances Danielle Marilyn Natalie Beverly Diana Brittany Theresa
Kayla Alexis Doris Lori Tiffany Ava Rose Mia Chloe Zoe Lillian Lucy Ella Sofia Claire Audrey Leah Ellen Annie Josephine
Anne Eleanor Valerie Monica Peggy Wendy Tracy Tina Robin Erin Crystal Dawn Vanessa Holly Erica Paula Jamie Sylvia
Rita Connie Marie Stacy Sally Yvonne Gina Vivian Regina Veronica Melanie Leslie Renee Juanita Kristen Katie Ida Clara
Norma June Edith Thelma Ethel Florence Irene Hazel Lois Marjorie Gladys Bernice Naomi Priscilla Bethany Courtney Morgan
Jasmine Paige Haley Brooke Sierra Autumn Savannah Aubrey Piper Ruby Stella Violet Nora Penelope Caroline Genevieve
Adrienne Bridget Colleen Daphne Eileen Felicity Gwendolyn Harriet Imogen Joanna Kirsten Louise Miranda Nadine Odette
Phoebe Rosemary Shannon Tabitha Ursula Vera Winifred Yolanda Beatrice Constance Delia Esther Faye Geraldine Hilda Ingrid
Janine Kara Lydia Maureen Nina Opal Pearl Roxanne Selma Trudy Agnes Alberta Alma Amelia Antoinette April Arlene
Bella Bernadette Bertha Blanche Bonnie Camille Candace Carla Carmen Cassandra Cecilia Celeste Charlene Cindy Claudia
Cora Daisy Dana Darlene Desiree Dolores Dominique Edna Eliza Eloise Elsie Ernestine Estelle Eunice Eva Fannie Freda
Gail Georgia Gertrude Ginger Glenda Gretchen Hope Inez Isabel Ivy Jackie Jade Jana Jenna Jill Jo Jodi Johanna Joy
Juliet Kendra Kerry Krista Kristin Lana Lara Laurel Lena Leona Loretta Lorraine Lucille Lynn Mabel Maggie Marcia
Margarita Marian Marissa Maxine Meredith Mildred Minnie Miriam Molly Muriel Myrtle Nadia Nettie Nichole Noelle Paulette
Pauline Phyllis Rachael Ramona Raquel Rena Rhonda Rosa Rosalie Roberta Sabrina Sasha Serena Sheila Sonia Stacey
Summer Suzanne Tamara Tanya Tasha Thea Toni Traci Velma Verna Vicki Wanda Whitney Wilma""".split()
# Parts of rarer names of our time.
MEN_STARTS = (
    "Ja Da De Ke Ty La Ma Bra Kay Jay Rai Cal Ro Tre Que Shon Zan Ar Dar Jer Kel Mar Ter".split()
)
MEN_ENDS = "den von quan marcus shawn mar rell ron vin lin son ston ley mond tavius rick vion lan nell kon".split()
WOMEN_STARTS = "La Sha Ka Ta Bri Kay Ash Mac Ad Jay Mi Ky Em Rae Har Bra Shel Che Tay Ari".split()
WOMEN_ENDS = "lyn leigh nelle quita ana la lee den ella ette isha andra ina elle mara ree nika ya ice".split()

HISPANIC_MEN = """José Juan Luis Carlos Jesús Antonio Francisco Miguel Manuel Pedro Jorge Alejandro Fernando Rafael Javier
Ricardo Roberto Eduardo Sergio Arturo Raúl Alberto Daniel Ángel Óscar Mario Enrique Héctor Andrés Guillermo Alfredo
Julio César Ramón Gustavo Rubén Martín Pablo Diego Adrián Víctor Hugo Iván Ernesto Gerardo Felipe Joaquín Emilio
Ignacio Tomás Salvador Santiago Esteban Rodrigo Mateo Sebastián Leonardo Marco Gilberto Rogelio Efraín Lorenzo Agustín""".split()
HISPANIC_WOMEN = """María Guadalupe Ana Juana Rosa Margarita Carmen Martha Verónica Elena Leticia Patricia Claudia Gabriela
Adriana Alejandra Laura Silvia Teresa Francisca Isabel Yolanda Lucía Beatriz Sofía Norma Mónica Araceli Esperanza Alicia
Irma Graciela Rocío Cecilia Diana Lorena Mariana Pilar Dolores Concepción Consuelo Mercedes Marisol Paola Valentina
Camila Daniela Fernanda Ximena Natalia Raquel Estela Socorro Josefina Amparo Catalina Inés Julia Rebeca Olga""".split()
EUROPEAN_MEN = """Hans Jürgen Klaus Wolfgang Peter Stefan Thomas Andreas Jörg Günter Uwe Lukas Jonas Björn Søren Lars Erik Åke
Jean Pierre Michel Philippe François René Étienne Luc Mathieu Antoine Giuseppe Giovanni Marco Luca Matteo Paolo Andrea
Jan Piotr Paweł Łukasz Krzysztof Tomasz Jiří Václav Pavel Zoltán István László Dimitri Sergei Mikhail Vladimir Igor Oleg
Mohammed Ahmed Ali Omar Hassan Mehmet Mustafa Yusuf Ibrahim Tariq Rajesh Amit Sanjay Vijay Arjun Ravi Suresh Anil Rahul
Hiroshi Takeshi Kenji Minh Tuan Hung Duc Min-jun Ji-hoon Sung-min Seán Ciarán Owain Dafydd João Luís Nuno""".split()
EUROPEAN_WOMEN = """Ursula Monika Petra Sabine Renate Karin Birgit Anja Katrin Heike Jana Lena Mia Ingrid Astrid Sigrid Maja
Marie Nathalie Isabelle Sylvie Céline Hélène Françoise Élodie Amélie Chloé Giulia Chiara Francesca Alessandra Elisabetta
Agnieszka Małgorzata Katarzyna Ewa Joanna Zuzana Jana Eszter Zsófia Olga Natalia Svetlana Tatiana Irina Ekaterina Anastasia
Fatima Aisha Khadija Zeynep Ayşe Elif Leila Yasmin Priya Anjali Sunita Lakshmi Deepa Kavita Pooja Neha Divya Shreya
Yuko Keiko Akiko Linh Thuy Lan Huong Ji-woo Soo-jin Hye-jin Siobhán Aoife Niamh Cerys Beatriz Inês Anne-Marie Marie-Claire""".split()

NICKNAMES = {
    line.split(": ")[0]: line.split(": ")[1].split()
    for line in """William: Bill Will Billy Willy Liam
Robert: Bob Rob Bobby Robbie Bert
Richard: Rick Dick Rich Ricky Richie
James: Jim Jimmy Jamie
John: Jack Johnny Jon
Michael: Mike Mikey Mick
Joseph: Joe Joey Jos
Thomas: Tom Tommy
Christopher: Chris Topher Kit
Charles: Charlie Chuck Chas
Daniel: Dan Danny
Matthew: Matt Matty
Anthony: Tony Ant
Steven: Steve Stevie
Stephen: Steve
Donald: Don Donnie
Andrew: Andy Drew
Joshua: Josh
Kenneth: Ken Kenny
Timothy: Tim Timmy
Ronald: Ron Ronnie
Edward: Ed Eddie Ted Ned
Jeffrey: Jeff
Jacob: Jake
Nicholas: Nick Nicky
Jonathan: Jon Jonny
Lawrence: Larry Lars
Benjamin: Ben Benny Benji
Samuel: Sam Sammy
Gregory: Greg
Alexander: Alex Al Sandy Xander
Patrick: Pat Paddy
Raymond: Ray
Gerald: Jerry Gerry
Zachary: Zach Zack
Douglas: Doug
Peter: Pete
Walter: Walt Wally
Albert: Al Bert
Arthur: Art Artie
Frederick: Fred Freddy
Philip: Phil
Henry: Hank Harry Hal
Eugene: Gene
Leonard: Len Lenny
Theodore: Ted Teddy Theo
Nathaniel: Nate Nathan
Vincent: Vince Vinny
Francis: Frank Frankie
Elizabeth: Liz Beth Betty Lizzie Eliza Betsy Libby
Margaret: Peggy Maggie Meg Marge Margie Greta
Katherine: Kathy Kate Katie Kat Kay Kit
Catherine: Cathy Cat Kate
Kathleen: Kathy Kath
Jennifer: Jen Jenny
Patricia: Pat Patty Trish Tricia
Barbara: Barb Barbie Babs
Susan: Sue Susie
Jessica: Jess Jessie
Rebecca: Becky Becca
Deborah: Deb Debbie
Debra: Deb Debbie
Kimberly: Kim
Stephanie: Steph Stevie
Cynthia: Cindy
Christine: Chris Chrissy Tina
Christina: Chris Tina Christy
Dorothy: Dot Dottie Dolly
Pamela: Pam
Samantha: Sam Sammie
Victoria: Vicky Tori
Virginia: Ginny
Judith: Judy
Jacqueline: Jackie
Abigail: Abby
Teresa: Terry Tess
Theresa: Terry Tess
Frances: Fran Frannie
Josephine: Jo Josie
Eleanor: Ellie Nell Nora
Alexandra: Alex Sandra Lexi
Amanda: Mandy
Melissa: Missy Mel
Sandra: Sandy
Mary: Molly Polly Mae
Nancy: Nan
Ann: Annie
Sarah: Sally Sadie
Francisco: Paco Pancho Frank
José: Pepe
Jesús: Chuy
Guillermo: Memo
Ignacio: Nacho
Eduardo: Lalo
Enrique: Quique
Alejandro: Alex
Manuel: Manny
Guadalupe: Lupe
Dolores: Lola
Concepción: Concha
Rosario: Charo
Isabel: Chabela
Giuseppe: Beppe
Giovanni: Gianni
Wolfgang: Wolf
Mikhail: Misha
Vladimir: Vova
Ekaterina: Katya
Anastasia: Nastya
Tatiana: Tanya
Katrin: Kati
Agnieszka: Aga
Małgorzata: Gosia
Krzysztof: Krzysiek""".split("\n")
}
# One sound, several spellings, all of them correct for somebody.
SPELLINGS = """Catherine Katherine Kathryn Catharine|Stephen Steven|Sara Sarah|Jon John|Eric Erik|Brian Bryan|Ann Anne|
Jeffrey Geoffrey|Philip Phillip|Alan Allen Allan|Carl Karl|Marc Mark|Kristen Kristin Kirsten|Rachel Rachael|Teresa Theresa|
Tracy Tracey Traci|Stacy Stacey|Megan Meghan|Lindsay Lindsey|Ashley Ashleigh|Haley Hailey|Aubrey Aubree|Caitlin Kaitlyn|
Sean Shawn Shaun|Kelly Kelley|Laura Lora|Deborah Debra|Diane Dianne|Joan Joanne|Elliot Elliott|Neil Neal|Cory Corey""".replace(
    "\n", ""
).split("|")
